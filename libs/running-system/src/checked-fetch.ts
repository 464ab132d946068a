import { readFileSync } from 'node:fs';
import { openApiChecker } from '@offload/spec-kit/contracts';

const contract = readFileSync(new URL('../../../apps/api/openapi.json', import.meta.url), 'utf8');
const faultsOf = openApiChecker(JSON.parse(contract) as object);

/** Calls `fetch`, and throws if the api's answer does not match its OpenAPI document. */
export async function checkedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const response = await fetch(request);
  const { pathname } = new URL(request.url);
  const body = await response.clone().text();
  const headers = Object.fromEntries(response.headers);
  const faults = faultsOf({ method: request.method, path: pathname, status: response.status, headers, body });
  if (faults.length > 0) throw new Error(`the answer does not match the OpenAPI document:  ${faults.join('; ')}`);
  return response;
}
