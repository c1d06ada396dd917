import { IsOptional, Length, ValidateNested } from 'class-validator';
import { Field, InputType, ObjectType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { Allow } from '../../shared/rights/rights.js';
import { User } from '../user.js';

@Allow('parent')
@ObjectType({ description: 'What a user likes.' })
export class Preferences {
  @Field(() => Boolean, { description: 'Whether the newsletter is wanted.' })
  newsletter!: boolean;

  @Field(() => String, { description: 'The look of the pages: `light`, `dark` or another.' })
  theme!: string;
}

@InputType({ description: 'Preferences to change; what is left out stays.' })
export class PreferencesInput {
  @Field(() => Boolean, { nullable: true, description: 'Whether the newsletter is wanted.' })
  newsletter?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'The look of the pages, 1 to 20 characters.',
  })
  @IsOptional()
  @Length(1, 20)
  theme?: string | null;
}

@InputType({ description: 'What a user changes of the own account; what is left out stays.' })
export class UpdateProfileInput {
  @Field(() => String, { nullable: true, description: 'The name, 1 to 255 characters.' })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => PreferencesInput, { nullable: true, description: 'Preferences to change.' })
  @IsOptional()
  @ValidateNested()
  preferences?: PreferencesInput | null;
}

/** Changes the caller's own account. */
export async function updateProfile(
  context: SubgraphContext,
  { name, preferences }: UpdateProfileInput,
): Promise<User> {
  const { id } = identityOf(context);
  return context.em.fork().transactional(async (tx) => {
    const user = await tx.findOneOrFail(User, { id });
    user.name = name ?? user.name;
    user.newsletter = preferences?.newsletter ?? user.newsletter;
    user.theme = preferences?.theme ?? user.theme;
    return user;
  });
}
