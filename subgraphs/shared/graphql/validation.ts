import { Length, Matches } from 'class-validator';

/** A text for one line: 1 to `max` characters, not only spaces, none that controls a terminal. */
export function OneLine(max: number): PropertyDecorator {
  // `Length` does not count the selectors of emoji, the database does.
  const oneLine = new RegExp(`^(?=.*\\S)\\P{Cc}{1,${max}}$`, 'u');
  const message = `must be one line of at most ${max} characters, with something in it`;
  return (target, key) => {
    Length(1, max)(target, key as string);
    Matches(oneLine, { message })(target, key as string);
  };
}
