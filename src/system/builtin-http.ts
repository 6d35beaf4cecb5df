/**
 * The parts of node:http that the daemon uses. They are not imported: an `import` reads every export of the module, and one of
 * them (WebSocket) loads all of Node's fetch, 10 MB of resident memory that nobody here needs.
 */
export const { createServer, request } = process.getBuiltinModule('node:http');
