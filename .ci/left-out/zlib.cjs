// In place of Node's own module for the packages: it is loaded when one first uses it, and not when that is loaded (0.5 MB of memory).
module.exports = new Proxy({}, { get: (_, name) => process.getBuiltinModule('node:zlib')[name] });
