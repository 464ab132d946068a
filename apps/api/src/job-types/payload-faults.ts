import type { ErrorObject } from 'ajv/dist/2020.js';
import { z } from 'zod';

/**
 * What Ajv found, as zod tells it: so a payload's faults are answered as those of the rest of the body. A member has one fault, and so has a
 * union, not those of each of its alternatives.
 */
export function payloadFaults(errors: readonly ErrorObject[]): z.ZodError {
  const unions = errors.filter(({ keyword }) => UNIONS.includes(keyword)).map(({ schemaPath }) => `${schemaPath}/`);
  const told = errors.filter(({ keyword, schemaPath }) => {
    // The name at fault has a fault of its own.
    return keyword !== 'propertyNames' && !unions.some((union) => schemaPath.startsWith(union));
  });
  return new z.ZodError(firstOfEach(told.map(issueOf)));
}

/** Of the faults of one member the first: that a text is no URL says nothing new about one that breaks its pattern. */
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

/** A part of a JSON pointer (RFC 6901) as the name it stands for. */
function nameOf(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
