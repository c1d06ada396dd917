import { IsOptional, Length } from 'class-validator';
import { Arg, Field } from 'type-graphql';
import { challengeTokenMax } from './challenge.js';

const options = {
  nullable: true,
  description:
    'Token of a solved challenge (Turnstile, hCaptcha), 1 to 8,192 characters. Required while the installation has challenges; each is valid once.',
};

/** The input field `challengeToken`. */
export function ChallengeTokenField(): PropertyDecorator {
  const decorators = [Field(() => String, options), IsOptional(), Length(1, challengeTokenMax)];
  return (target, name) => {
    for (const decorate of decorators) decorate(target, name as string);
  };
}

/** The argument `challengeToken`. */
export const ChallengeTokenArg = () => Arg('challengeToken', () => String, options);
