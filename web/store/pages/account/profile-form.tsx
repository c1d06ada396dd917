import { useSignal } from '@preact/signals';
import { useAction } from '../../actions/use-action.js';
import { type AccountQuery, UpdateProfileDocument } from '../../graph/operations.js';
import { request } from '../../session/request.js';
import { renameUser } from '../../session/stored-session.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { TextField } from '../../ui/field.jsx';
import { formatTime } from '../../ui/format.js';

type Profile = NonNullable<AccountQuery['me']>;

/** Name, and what identifies the user. */
export function ProfileForm({ profile }: { readonly profile: Profile }) {
  const name = useSignal(profile.name);
  const isSaved = useSignal(false);
  const save = useAction('updateProfile', async (input: { name: string }) => {
    return (await request(UpdateProfileDocument, { input })).updateProfile;
  });
  async function run(): Promise<void> {
    isSaved.value = false;
    const changed = await save.run({ name: name.value });
    if (!changed) return;
    isSaved.value = true;
    renameUser(changed.name);
  }
  return (
    <form
      class="panel stack"
      aria-labelledby="profile"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <h2 id="profile">Profile</h2>
      <dl class="properties">
        <dt>E-mail</dt>
        <dd>
          {profile.email
            ? `${profile.email}${profile.emailVerified ? '' : ' (not verified)'}`
            : '–'}
        </dd>
        <dt>Phone</dt>
        <dd>{profile.phone ?? '–'}</dd>
        <dt>Customer since</dt>
        <dd>{formatTime(profile.createdAt)}</dd>
      </dl>
      <TextField label="Name" required maxLength={255} autocomplete="name" text={name} />
      <div class="row">
        <Button type="submit" isBusy={save.isBusy.value}>
          Save the name
        </Button>
        <span role="status">{isSaved.value && 'Saved.'}</span>
      </div>
      <ErrorNotice error={save.error.value} />
    </form>
  );
}
