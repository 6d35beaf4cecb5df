import { constants, createHash, privateDecrypt } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { type RoguePeer, rogueKeys } from './rogue-mysql.ts';
import { columnPacket, eofPacket, errorPacket, okPacket, preparedPacket } from './rogue-packets.ts';

/** How far an account by caching_sha2_password got. */
export type Sha2Login = 'fast' | 'cleartext' | 'sealed' | 'key asked for' | 'refused';

/**
 * Logs a client in as MySQL 8 does by caching_sha2_password (sql/auth/sha2_password.cc): `cached`: it remembers the password, which is
 * enough; else the client sends it, over a `secure` connection as it is, else sealed, or asks for the key first.
 */
export async function loginByCachingSha2(
  peer: RoguePeer,
  password: string,
  { cached, secure }: { readonly cached: boolean; readonly secure: boolean },
): Promise<Sha2Login> {
  const nonce = Buffer.from('abcdefghijklmnopqrst');
  peer.switchTo('caching_sha2_password', nonce);
  const proof = await peer.read();
  if (password === '' && proof.length <= 1) {
    peer.send(okPacket());
    return 'fast';
  }
  if (cached && proof.equals(expectedProof(password, nonce))) {
    peer.more(Buffer.of(3));
    peer.send(okPacket());
    return 'fast';
  }
  peer.more(Buffer.of(4));
  let answer = await peer.read();
  let way: Sha2Login = secure ? 'cleartext' : 'sealed';
  if (!secure && answer.equals(Buffer.of(2))) {
    way = 'key asked for';
    peer.more(Buffer.from(rogueKeys().publicKey));
    answer = await peer.read();
  }
  const whole = secure ? answer : opened(answer, nonce);
  if (whole.toString() !== `${password}\0`) return refuse(peer);
  peer.send(okPacket());
  return way;
}

/** The same by sha256_password: over an `encrypted` connection the password as it is, else sealed. */
export async function loginBySha256(
  peer: RoguePeer,
  password: string,
  { encrypted }: { readonly encrypted: boolean },
): Promise<Sha2Login> {
  const nonce = Buffer.from('abcdefghijklmnopqrst');
  peer.switchTo('sha256_password', nonce);
  let answer = await peer.read();
  let way: Sha2Login = encrypted ? 'cleartext' : 'sealed';
  if (!encrypted && answer.equals(Buffer.of(1))) {
    way = 'key asked for';
    peer.more(Buffer.from(rogueKeys().publicKey));
    answer = await peer.read();
  }
  const whole = encrypted || password === '' ? answer : opened(answer, nonce);
  if (whole.toString() !== `${password}\0`) return refuse(peer);
  peer.send(okPacket());
  return way;
}

function refuse(peer: RoguePeer): 'refused' {
  peer.send(errorPacket(1045, '28000', "Access denied for user 'm'@'localhost' (using password: YES)"));
  return 'refused';
}

/** How a statement comes: COM_STMT_EXECUTE or COM_QUERY. */
export type Protocol = 'prepared' | 'text';

/** What is done in the place of an answer; undefined: SET is answered by OK, everything else by no rows. */
export type Answers = (sql: string, protocol: Protocol) => (() => Promise<void> | void) | undefined;

/** Answers statements until the client is gone. */
export async function serveStatements(peer: RoguePeer, answers: Answers = () => undefined): Promise<void> {
  const statements = new Map<number, string>();
  const answer = async (sql: string, protocol: Protocol): Promise<void> => {
    const own = answers(sql, protocol);
    if (own !== undefined) return own();
    if (sql.startsWith('SET')) return void peer.send(okPacket());
    sendColumns(peer, ['none']);
    peer.send(eofPacket());
  };
  for (;;) {
    const packet = await peer.read();
    switch (packet[0]) {
      case QUERY:
        await answer(packet.subarray(1).toString(), 'text');
        break;
      case PREPARE:
        statements.set(statements.size + 1, packet.subarray(1).toString());
        peer.send(preparedPacket(statements.size));
        break;
      case EXECUTE:
        await answer(statements.get(packet.readUInt32LE(1)) ?? '', 'prepared');
        break;
      case CLOSE_STATEMENT:
        break;
      default:
        // COM_QUIT, or what the store does not use.
        return peer.destroy();
    }
  }
}

const QUERY = 0x03;
const PREPARE = 0x16;
const EXECUTE = 0x17;
const CLOSE_STATEMENT = 0x19;

/** Begins a result of rows. */
export function sendColumns(peer: RoguePeer, names: readonly string[]): void {
  peer.send(Buffer.of(names.length));
  for (const name of names) peer.send(columnPacket(name));
  peer.send(eofPacket());
}

/** Says it again and again until the client is gone; how many bytes it took. `atMost`: gives up by itself. */
export async function endlessly(peer: RoguePeer, next: () => Buffer, atMost = 4 * 2 ** 30): Promise<number> {
  let sent = 0;
  while (!peer.ended && sent < atMost) {
    const block = next();
    sent += block.length;
    if (!peer.write(block)) await peer.room();
    // Its end has to be heard of.
    await turn();
  }
  return sent;
}

function expectedProof(password: string, nonce: Buffer): Buffer {
  const sha256 = (...parts: Buffer[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
  const once = sha256(Buffer.from(password));
  const mask = sha256(sha256(once), nonce);
  return Buffer.from(once.map((byte, i) => byte ^ mask[i]!));
}

function opened(sealed: Buffer, nonce: Buffer): Buffer {
  const options = { key: rogueKeys().privateKey, oaepHash: 'sha1', padding: constants.RSA_PKCS1_OAEP_PADDING };
  return Buffer.from(privateDecrypt(options, sealed).map((byte, i) => byte ^ nonce[i % nonce.length]!));
}
