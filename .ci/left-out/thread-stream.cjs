// In place of thread-stream in the bundle: what pino's transports run in. Ours write in the main thread.
module.exports = class ThreadStream {
  constructor() {
    throw new Error('thread-stream is not in the bundle: the log is written in the main thread');
  }
};
