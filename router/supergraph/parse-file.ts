import { z } from 'zod';

/**
 * Parses a JSON file beside the supergraph.
 *
 * @param text null if there is no such file, which is read as one without entries
 * @throws Error for a malformed file
 */
export function parseFile<T>(name: string, shape: z.ZodType<T>, text: string | null): T {
  const parsed = shape.safeParse(text === null ? {} : parseJson(text));
  if (!parsed.success) throw new Error(`${name} is malformed: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
