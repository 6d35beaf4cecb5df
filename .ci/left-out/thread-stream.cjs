// Replaces thread-stream in the bundle, in which pino's transports run. Ours write in the main thread.
module.exports = class ThreadStream {
  constructor() {
    throw new Error('thread-stream is not in the bundle: the log is written in the main thread');
  }
};
