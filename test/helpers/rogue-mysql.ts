import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { MysqlEndpoint } from '../../src/stores/mysql/endpoints.ts';
import { createCertificates } from './certificates.ts';
import { CLIENT, type Greeting, greetingPacket, moreDataPacket, switchPacket } from './rogue-packets.ts';

/** What such a server does with each of its connections. */
export type Script = (peer: RoguePeer) => Promise<void> | void;

/** A server that says whatever its script says, and keeps all that it hears. */
export interface Rogue {
  readonly endpoint: MysqlEndpoint;
  /** 0 where it is a Unix socket's. */
  readonly port: number;
  readonly peers: readonly RoguePeer[];
  /** All bytes of all connections, out of TLS. */
  heard(): Buffer;
  /** Fails if the password came, in whatever way this server could read it. */
  assertIgnorant(password: string): void;
  close(): Promise<void>;
}

/** Starts one on a free port of 127.0.0.1, or at a `path`; it is closed after the test. */
export async function startRogue(
  t: { after(end: () => Promise<void>): void },
  script: Script,
  { path, listen }: { readonly path?: string; readonly listen?: (server: Server) => void } = {},
): Promise<Rogue> {
  const peers: RoguePeer[] = [];
  const server = createServer((socket) => {
    const peer = new RoguePeer(socket);
    peers.push(peer);
    // A connection that is given up takes its script with it.
    void Promise.resolve(peer)
      .then(script)
      .then(() => peer.readAll())
      .catch((error: unknown) => peer.failed(error));
  });
  if (listen !== undefined) listen(server);
  else if (path !== undefined) server.listen(path);
  else server.listen(0, '127.0.0.1');
  if (!server.listening) await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const heard = (): Buffer => Buffer.concat(peers.map((peer) => peer.heard()));
  const rogue: Rogue = {
    endpoint: path === undefined ? { kind: 'tcp', host: '127.0.0.1', port } : { kind: 'socket', path, optional: false },
    port,
    peers,
    heard,
    assertIgnorant: (password) => {
      for (const peer of peers) peer.assertIgnorant(password);
    },
    close: async () => {
      for (const peer of peers) peer.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  t.after(() => rogue.close());
  return rogue;
}

/** The pair of keys that such a server puts in the place of the real one's; made once. */
export function rogueKeys(): { readonly publicKey: string; readonly privateKey: string } {
  keys ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return keys;
}

let keys: { readonly publicKey: string; readonly privateKey: string } | undefined;

/** A certificate for 127.0.0.1 and localhost, and the authority that nobody but its test trusts; made once. */
export function rogueCertificate(): { readonly key: string; readonly cert: string; readonly ca: string } {
  if (certificate === undefined) {
    const dir = mkdtempSync(join(tmpdir(), 'monitor-test-'));
    try {
      createCertificates(dir, ['IP:127.0.0.1', 'DNS:localhost']);
      const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
      certificate = { key: read('server.key'), cert: read('server.pem'), ca: read('ca.pem') };
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  return certificate;
}

let certificate: { readonly key: string; readonly cert: string; readonly ca: string } | undefined;

/** One connection as the server has it. */
export class RoguePeer {
  readonly #socket: Socket;
  #stream: Duplex;
  readonly #chunks: Buffer[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};
  #ended = false;
  #sequence = 0;
  /** What its client was challenged with. */
  readonly nonces: Buffer[] = [];
  /** Payloads of what the client said. */
  readonly packets: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#stream = socket;
    this.#listen(socket);
    socket.on('close', () => this.#end());
  }

  get ended(): boolean {
    return this.#ended;
  }

  heard(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends it without a farewell, by RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  greet(greeting: Partial<Greeting> = {}): void {
    this.write(this.framed(this.greeting(greeting)));
  }

  /** The payload of a greeting, whose nonce is remembered. */
  greeting(greeting: Partial<Greeting> = {}): Buffer {
    const nonce = greeting.nonce ?? NONCE;
    this.nonces.push(nonce);
    return greetingPacket({ ...greeting, nonce });
  }

  switchTo(plugin: string, nonce: Buffer = NONCE): void {
    this.nonces.push(nonce);
    this.send(switchPacket(plugin, nonce));
  }

  more(data: Buffer): void {
    this.send(moreDataPacket(data));
  }

  send(payload: Buffer, sequence?: number): boolean {
    return this.write(this.framed(payload, sequence));
  }

  /** Bytes as they are; false: the client does not keep up. */
  write(bytes: Buffer): boolean {
    return !this.#ended && this.#stream.write(bytes);
  }

  framed(payload: Buffer, sequence: number = this.#sequence): Buffer {
    this.#sequence = (sequence + 1) & 0xff;
    return Buffer.concat([
      Buffer.of(payload.length & 0xff, (payload.length >> 8) & 0xff, payload.length >> 16, sequence),
      payload,
    ]);
  }

  /** Waits until there is room for more, or the client is gone. */
  async room(): Promise<void> {
    if (!this.#ended && this.#stream.writableNeedDrain)
      await Promise.race([once(this.#stream, 'drain'), once(this.#socket, 'close')]).catch(() => undefined);
  }

  /** The payload of the client's next packet; throws where there is none to come. */
  async read(): Promise<Buffer> {
    for (;;) {
      const length = this.#unread.length < 4 ? Number.POSITIVE_INFINITY : this.#unread.readUIntLE(0, 3) + 4;
      if (this.#unread.length >= length) {
        const packet = this.#unread.subarray(4, length);
        this.#sequence = ((this.#unread[3] ?? 0) + 1) & 0xff;
        this.#unread = this.#unread.subarray(length);
        this.packets.push(packet);
        return packet;
      }
      if (this.#ended) throw new Error('the client is gone');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits for bytes of whatever kind, which are not taken for a packet. */
  async readBytes(): Promise<void> {
    const { length } = this.#chunks;
    while (this.#chunks.length === length && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#unread = Buffer.alloc(0);
  }

  /** Reads what is still to come. */
  async readAll(): Promise<never> {
    for (;;) await this.read();
  }

  /** Speaks TLS from now on, after the client has asked for it; its own request is read first. */
  async startTls(certificate: { readonly key: string; readonly cert: string }): Promise<void> {
    const request = await this.read();
    assert.ok(request.readUInt32LE(0) & CLIENT.SSL, 'the client asks for TLS');
    this.#socket.removeAllListeners('data').pause();
    // TLS may have come along with the request.
    this.#socket.unshift(this.#unread);
    this.#unread = Buffer.alloc(0);
    const secure = new TLSSocket(this.#socket, { isServer: true, ...certificate });
    this.#stream = secure;
    this.#listen(secure);
  }

  failed(error: unknown): void {
    if (!this.#ended) this.#socket.destroy();
    if (!(error instanceof Error && error.message === 'the client is gone')) this.problem = error;
  }

  /** What went wrong with the script, if anything. */
  problem: unknown;

  assertIgnorant(password: string): void {
    const secret = Buffer.from(password);
    const assertNot = (bytes: Buffer, how: string): void =>
      assert.equal(bytes.indexOf(secret), -1, `it got the password ${how}`);
    assertNot(this.heard(), 'as it is');
    for (const packet of [this.heard(), ...this.packets]) {
      for (const nonce of this.nonces) assertNot(mixed(packet, nonce), 'mixed with the challenge');
      for (const mask of [0xff, 0x80, 0x20]) assertNot(mixed(packet, Buffer.of(mask)), `behind the mask ${mask}`);
    }
    for (const packet of this.packets)
      if (packet.length >= 256) assert.ok(!opens(packet), 'it got the password sealed for its own key');
  }

  #listen(stream: Duplex): void {
    stream.on('error', () => this.#end());
    stream.on('data', (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.#unread = Buffer.concat([this.#unread, bytes]);
      this.#wake();
    });
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}

/** As a server chooses it who wants to get something out of the answer. */
const NONCE = Buffer.from('0123456789abcdefghij');

function mixed(bytes: Buffer, nonce: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, i) => byte ^ nonce[i % nonce.length]!));
}

function opens(packet: Buffer): boolean {
  try {
    const options = { key: rogueKeys().privateKey, oaepHash: 'sha1', padding: constants.RSA_PKCS1_OAEP_PADDING };
    return privateDecrypt(options, packet.subarray(0, 256)).length > 0;
  } catch {
    return false;
  }
}
