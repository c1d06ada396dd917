import { LockMode } from '@mikro-orm/core';
import { IsOptional, ValidateNested } from 'class-validator';
import { Field, InputType, ObjectType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { transact } from '../../shared/database/transact.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { Allow } from '../../shared/rights/rights.js';
import { fold } from '../../shared/text/fold.js';
import { User } from '../user.js';

@Allow('parent')
@ObjectType({ description: 'Preferences of a user.' })
export class Preferences {
  @Field(() => Boolean, { description: 'Whether the user wants the newsletter.' })
  newsletter!: boolean;

  @Field(() => String, { description: 'Theme of the user interface: `light`, `dark` or another.' })
  theme!: string;
}

@InputType({ description: 'Changes to preferences. Omitted fields keep their value.' })
export class PreferencesInput {
  @Field(() => Boolean, { nullable: true, description: 'Whether the user wants the newsletter.' })
  newsletter?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'Theme of the user interface, 1 to 20 characters.',
  })
  @IsOptional()
  @OneLine(20)
  theme?: string | null;
}

@InputType({
  description: 'Changes to the profile of the signed-in user. Omitted fields keep their value.',
})
export class UpdateProfileInput {
  @Field(() => String, { nullable: true, description: 'Display name, 1 to 255 characters.' })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => PreferencesInput, { nullable: true, description: 'Changes to preferences.' })
  @IsOptional()
  @ValidateNested()
  preferences?: PreferencesInput | null;
}

/** Changes the name and preferences of the caller. */
export async function updateProfile(
  context: SubgraphContext,
  { name, preferences }: UpdateProfileInput,
): Promise<User> {
  const { id } = identityOf(context);
  return transact(context.em, async (tx) => {
    const user = await tx.findOneOrFail(User, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (name) Object.assign(user, { name, nameKey: fold(name) });
    user.newsletter = preferences?.newsletter ?? user.newsletter;
    user.theme = preferences?.theme ?? user.theme;
    return user;
  });
}
