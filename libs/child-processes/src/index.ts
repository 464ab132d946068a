// Starts programs beside this process, and ends them with it.
export { installPackage } from './apt-package.ts';
export {
  describeExit,
  killChildren,
  startChild,
  type Child,
  type ChildOptions,
  type Exit,
  type LineSink,
} from './child-process.ts';
export { isExecutable } from './is-executable.ts';
export { endWithParent } from './lifeline.ts';
export { freePort, portIsFree } from './ports.ts';
export { processCommand, processIdentity, signalGroup } from './process-identity.ts';
export { knock, stranger, type Knock } from './knock.ts';
export { sourceArguments } from './source-arguments.ts';
