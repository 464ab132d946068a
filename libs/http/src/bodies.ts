// The door @offload/http/bodies: large bodies, which are read strictly and answered within the service's byte budget.
export { budgetOf } from './byte-budget.ts';
export { bodyDigest, jsonBody, type JsonBodyOptions } from './json-body.ts';
export { sendJson, sendRawJson, shareable } from './send-json.ts';
