import { z } from 'zod';

/** "These job types were registered or removed": whoever keeps them in memory reads the table again. */
export const registration = {
  type: 'registration',
  version: 1,
  schema: z.object({ types: z.array(z.string()) }),
};
