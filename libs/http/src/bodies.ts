// The door @offload/http/bodies: reads request bodies strictly, and sends answers within the byte budget of the
// service.
export { budgetOf } from './byte-budget.ts';
export { bodyDigest, jsonBody, type JsonBodyOptions } from './json-body.ts';
export { sendJson, sendRawJson, shareable } from './send-json.ts';
