import { Length, Matches } from 'class-validator';

/** A single line: 1 to `max` characters, not only spaces, no control characters. */
export function OneLine(max: number): PropertyDecorator {
  // Unlike the database, `Length` does not count the variation selectors of emoji.
  const oneLine = new RegExp(`^(?=.*\\S)\\P{Cc}{1,${max}}$`, 'u');
  const message = `must be a single line of 1 to ${max} characters, not only spaces`;
  return (target, key) => {
    Length(1, max)(target, key as string);
    Matches(oneLine, { message })(target, key as string);
  };
}
