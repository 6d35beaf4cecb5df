/**
 * What we use of node:http. Not by `import`: that reads every export of it, and one of them (WebSocket) loads all of Node's fetch,
 * 10 MB of resident memory that nobody here needs.
 */
export const { createServer, request } = process.getBuiltinModule('node:http');
