// Replaces `import … from 'node:process'` in our sources and in commander: as a module, Node reads every property of `process`,
// and opens standard input, and loads a dozen modules of its own for them (0.7 MB of memory).
const { process } = globalThis;
export default process;
export const { argv, geteuid } = process;
