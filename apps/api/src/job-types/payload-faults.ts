import type { ErrorObject } from 'ajv/dist/2020.js';
import { z } from 'zod';

/**
 * Turns Ajv's errors into zod's issues, so that faults of a payload look like other faults of the body. A member has
 * one fault. A union has one fault too, not the faults of each alternative.
 */
export function payloadFaults(errors: readonly ErrorObject[]): z.ZodError {
  const unions = errors.filter(({ keyword }) => UNIONS.includes(keyword)).map(({ schemaPath }) => `${schemaPath}/`);
  const told = errors.filter(({ keyword, schemaPath }) => {
    // Skip the object's error: the wrong name has an error of its own.
    return keyword !== 'propertyNames' && !unions.some((union) => schemaPath.startsWith(union));
  });
  return new z.ZodError(firstOfEach(told.map(issueOf)));
}

/** The first fault of each member: another fault of the same member rarely says something new. */
function firstOfEach(issues: z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const places = new Set<string>();
  return issues.filter((issue) => {
    const place = JSON.stringify([...issue.path, ...('keys' in issue ? issue.keys : [])]);
    return places.size < places.add(place).size;
  });
}

const UNIONS = ['anyOf', 'oneOf'];

function issueOf({
  keyword,
  instancePath,
  params,
  message = 'is not valid',
  propertyName,
}: ErrorObject): z.core.$ZodIssue {
  const path: string[] = instancePath.split('/').slice(1).map(nameOf);
  const custom = (detail: string, ...more: string[]): z.core.$ZodIssue => {
    return { code: 'custom', path: [...path, ...more], message: detail, input: undefined };
  };
  if (propertyName !== undefined) return custom(`the name ${message}`, propertyName);
  const given = params as Record<string, string>;
  switch (keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = given['additionalProperty'] ?? given['unevaluatedProperty'] ?? '';
      return { code: 'unrecognized_keys', keys: [name], path, message, input: undefined };
    }
    case 'required':
    case 'dependentRequired':
      return custom('is required', given['missingProperty'] as string);
    case 'anyOf':
      return custom('fits none of its alternatives');
    case 'oneOf':
      return custom(`fits ${given['passingSchemas'] === null ? 'none' : 'more than one'} of its alternatives`);
    default:
      return custom(message);
  }
}

/** Decodes a part of a JSON pointer (RFC 6901). */
function nameOf(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
