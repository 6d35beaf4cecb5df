import { createServer, type Socket } from 'node:net';

/** What a scripted server answers: rows, how many rows have changed, an error of that number, or nothing at all. */
export type ScriptedAnswer =
  | { readonly rows: readonly ScriptedRow[] }
  | { readonly changed: number }
  | { readonly errno: number; readonly message: string }
  | 'silence';

type ScriptedRow = Readonly<Record<string, string | number | null>>;

/** A server that speaks MySQL and says what a test tells it to: what a real one cannot be brought to say here. */
export interface ScriptedMysql {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Every statement, each time it came, in order. */
  readonly heard: string[];
  /** How many connections have been opened. */
  opened: number;
  /** Asked at each statement; undefined: what a server with the tables of setup.sql says where they are empty. */
  answer: (sql: string) => ScriptedAnswer | undefined;
  close(): Promise<void>;
}

/** Starts one, which lets everybody in; call `close` after. */
export async function scriptedMysql(answer: ScriptedMysql['answer'] = () => undefined): Promise<ScriptedMysql> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    scripted.opened++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    new ScriptedConnection(socket, scripted).greet();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const scripted: ScriptedMysql = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    heard: [],
    opened: 0,
    answer,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
  return scripted;
}

/** The server's side of the protocol: https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html */
class ScriptedConnection {
  readonly #socket: Socket;
  readonly #scripted: ScriptedMysql;
  readonly #statements: string[] = [];
  #received = Buffer.alloc(0);
  #sequence = 0;
  #loggedIn = false;

  constructor(socket: Socket, scripted: ScriptedMysql) {
    this.#socket = socket;
    this.#scripted = scripted;
  }

  greet(): void {
    this.#socket.on('data', (bytes) => this.#take(bytes));
    const scramble = 'abcdefghijklmnopqrst';
    // PROTOCOL_41, CONNECT_WITH_DB, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH.
    const can = 0x0200 | 0x0008 | 0x2000 | 0x8000 | 0x80000;
    this.#send(
      [10],
      '8.0.36\0',
      int(1, 4),
      scramble.slice(0, 8),
      [0],
      int(can & 0xffff, 2),
      [45],
      int(2, 2),
      int(can >>> 16, 2),
      [21, ...Array<number>(10).fill(0)],
      `${scramble.slice(8)}\0`,
      'mysql_native_password\0',
    );
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readUIntLE(0, 3)) {
      const end = 4 + this.#received.readUIntLE(0, 3);
      this.#sequence = (this.#received[3] ?? 0) + 1;
      this.#handle(this.#received.subarray(4, end));
      this.#received = this.#received.subarray(end);
    }
  }

  #handle(packet: Buffer): void {
    const command = this.#loggedIn ? packet[0] : undefined;
    if (!this.#loggedIn) this.#ok(0);
    else if (command === QUIT) this.#socket.end();
    else if (command === QUERY) this.#say(packet.toString('utf8', 1), false);
    else if (command === EXECUTE) this.#say(this.#statements[packet.readUInt32LE(1) - 1] ?? '', true);
    else if (command === PREPARE) this.#prepare(packet.toString('utf8', 1));
    this.#loggedIn = true;
  }

  #prepare(sql: string): void {
    const parameters = sql.split('?').length - 1;
    this.#statements.push(sql);
    this.#send([0], int(this.#statements.length, 4), int(0, 2), int(parameters, 2), [0], int(0, 2));
    for (let i = 0; i < parameters; i++) this.#column('?', 'text');
    if (parameters > 0) this.#eof();
  }

  #say(sql: string, isBinary: boolean): void {
    this.#scripted.heard.push(sql);
    const answer = this.#scripted.answer(sql) ?? emptyAnswer(sql);
    if (answer === 'silence') return;
    if ('errno' in answer) this.#send([0xff], int(answer.errno, 2), '#HY000', answer.message);
    else if ('changed' in answer) this.#ok(answer.changed);
    else this.#rows(answer.rows, isBinary);
  }

  #rows(rows: readonly ScriptedRow[], isBinary: boolean): void {
    const first = Object.entries(rows[0] ?? { none: null });
    this.#send([first.length]);
    for (const [name, value] of first) this.#column(name, typeof value === 'number' ? 'number' : isBinary ? 'bytes' : 'text');
    this.#eof();
    for (const row of rows) {
      const values = Object.values(row);
      this.#send(isBinary ? binaryRow(values) : Buffer.concat(values.map((value) => textOf(value))));
    }
    this.#eof();
  }

  #column(name: string, type: 'number' | 'text' | 'bytes'): void {
    const names = ['def', '', '', '', name, name].map(textOf);
    // A character set of 63 makes it bytes, 45 text; 8 is LONGLONG, 253 VAR_STRING.
    this.#send(
      ...names,
      [12],
      int(type === 'bytes' ? 63 : 45, 2),
      int(1024, 4),
      [type === 'number' ? 8 : 253],
      int(0, 2),
      [0, 0, 0],
    );
  }

  #ok(changed: number): void {
    this.#send([0, changed, 0], int(2, 2), int(0, 2));
  }

  #eof(): void {
    this.#send([0xfe], int(0, 2), int(2, 2));
  }

  #send(...parts: (string | readonly number[] | Buffer)[]): void {
    const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
    this.#socket.write(Buffer.concat([int(body.length, 3), Buffer.of(this.#sequence++), body]));
  }
}

function emptyAnswer(sql: string): ScriptedAnswer {
  if (sql.includes('FROM information_schema.COLUMNS')) return { rows: COLUMNS };
  if (sql.includes('FROM information_schema.STATISTICS')) return { rows: KEYS };
  return /^\s*(?:SELECT|SHOW)/i.test(sql) ? { rows: [] } : { changed: 0 };
}

const COLUMNS: readonly ScriptedRow[] = [
  ['STATUS_PROCESS', 'process_id', 'int'],
  ['STATUS_PROCESS', 'alarma', 'tinyint'],
  ['STATUS_PROCESS', 'sound', 'tinyint'],
  ['STATUS_PROCESS', 'notes', 'text'],
  ['PROCESE', 'process_id', 'int'],
  ['PROCESE', 'process_name', 'varchar'],
].map(([table = '', name = '', type = '']) => {
  const isText = type === 'text' || type === 'varchar';
  return {
    ...{ table, name, dataType: type, type },
    ...{ digits: isText ? null : '10', decimals: isText ? null : '0' },
    ...{ characters: isText ? '65535' : null, bytes: isText ? '65535' : null },
    ...{ charset: isText ? 'utf8mb4' : null, collation: isText ? 'utf8mb4_general_ci' : null, maxBytes: isText ? '4' : null },
  };
});

const KEYS: readonly ScriptedRow[] = ['STATUS_PROCESS', 'PROCESE'].map((table) => ({
  ...{ table, name: 'PRIMARY', column: 'process_id', shared: '0' },
}));

const QUIT = 1;
const QUERY = 3;
const PREPARE = 0x16;
const EXECUTE = 0x17;

function int(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer;
}

/** A text behind its length, of at most 250 bytes; NULL. */
function textOf(value: string | number | null): Buffer {
  if (value === null) return Buffer.of(0xfb);
  const bytes = Buffer.from(String(value));
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function binaryRow(values: readonly (string | number | null)[]): Buffer {
  const nulls = Buffer.alloc(Math.floor((values.length + 9) / 8));
  values.forEach((value, i) => {
    if (value === null) nulls[(i + 2) >> 3] = (nulls[(i + 2) >> 3] ?? 0) | (1 << ((i + 2) & 7));
  });
  const present = values.filter((value) => value !== null);
  const bytes = present.map((value) => {
    if (typeof value !== 'number') return textOf(value);
    const number = Buffer.alloc(8);
    number.writeBigInt64LE(BigInt(value));
    return number;
  });
  return Buffer.concat([Buffer.of(0), nulls, ...bytes]);
}
