// The door @offload/spec-kit/contracts: compares answers and messages with the documents that describe them.
export { asyncApiChecker, type ArrivedMessage, type AsyncApiChecker } from './asyncapi-checker.ts';
export { cloudEventFaults } from './cloud-event-checker.ts';
export { openApiChecker, type Exchange } from './openapi-checker.ts';
