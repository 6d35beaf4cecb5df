// In place of Node's own module for what the packages ask of it: nothing of ours runs in a thread, and it is 1.3 MB of memory.
exports.isMainThread = true;
