import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTimeISO, GraphQLUUID } from 'graphql-scalars';

/** A year has four digits, so that PostgreSQL reads what JavaScript writes. @throws GraphQLError */
function requireFourDigits(time: Date): Date {
  const year = time.getUTCFullYear();
  if (year >= 1 && year <= 9999) return time;
  throw new GraphQLError('DateTime must be in the years 0001 to 9999, in UTC.');
}

/** RFC 3339, UTC. */
export const DateTime = new GraphQLScalarType<Date, string>({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  parseValue: (value) => requireFourDigits(GraphQLDateTimeISO.parseValue(value)),
  parseLiteral: (node) => requireFourDigits(GraphQLDateTimeISO.parseLiteral(node) as Date),
});
/** A UUID; upper case is accepted, and converted to lower case. */
export const UUID = new GraphQLScalarType<string, string>({
  ...GraphQLUUID.toConfig(),
  parseValue: (value) => GraphQLUUID.parseValue(value).toLowerCase(),
  parseLiteral: (node) => (GraphQLUUID.parseLiteral(node) as string).toLowerCase(),
});

const decimalPattern = /^-?\d{1,15}(\.\d{1,6})?$/;

function parseDecimal(value: unknown): string {
  if (typeof value !== 'string' || !decimalPattern.test(value)) {
    throw new GraphQLError(
      `Decimal must be a string such as "19.90", not ${JSON.stringify(value)}.`,
    );
  }
  return value;
}

/** An exact decimal number, as a string: `"19.90"`. */
export const Decimal = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  description: 'An exact decimal number, as a string: "19.90".',
  serialize: (value) => String(value),
  parseValue: parseDecimal,
  parseLiteral: (node) => parseDecimal(node.kind === Kind.STRING ? node.value : undefined),
});
