import { Length, Matches } from 'class-validator';

const oneLine = /^(?=.*\S)\P{Cc}+$/u;

/** A text for one line: 1 to `max` characters, not only spaces, none that controls a terminal. */
export function OneLine(max: number): PropertyDecorator {
  const message = 'must be one line with something in it';
  return (target, key) => {
    Length(1, max)(target, key as string);
    Matches(oneLine, { message })(target, key as string);
  };
}
