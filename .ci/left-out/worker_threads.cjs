// Replaces Node's own module, with what the packages read of it: we run nothing in threads, and it would take 1.3 MB of memory.
exports.isMainThread = true;
