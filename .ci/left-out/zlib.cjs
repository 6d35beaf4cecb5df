// Replaces Node's own module for the packages: it is loaded at its first use, not when the package is loaded (0.5 MB of
// memory).
module.exports = new Proxy({}, { get: (_, name) => process.getBuiltinModule('node:zlib')[name] });
