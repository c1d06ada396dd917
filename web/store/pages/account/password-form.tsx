import { useSignal } from '@preact/signals';
import { ChangePasswordDocument } from '../../graph/operations.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { request } from '../../session/request.js';
import { beginSession } from '../../session/tokens.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { TextField } from '../../ui/field.jsx';
import { useLogIn } from '../login/use-log-in.js';

/** Changes the password. */
export function ChangePasswordForm() {
  const current = useSignal('');
  const next = useSignal('');
  const isSaved = useSignal(false);
  const { run, isBusy, error, refusal } = useLogIn(
    async (input: { currentPassword: string; newPassword: string }) => {
      isSaved.value = false;
      const { changePassword } = await request(ChangePasswordDocument, { input });
      if (changePassword.__typename !== 'Session') return changePassword;
      beginSession(changePassword);
      isSaved.value = true;
      current.value = '';
      next.value = '';
      return changePassword;
    },
  );
  return (
    <form
      class="panel stack"
      aria-labelledby="password"
      onSubmit={(event) => {
        event.preventDefault();
        void run({ currentPassword: current.value, newPassword: next.value });
      }}
    >
      <h2 id="password">Password</h2>
      <p class="faint">A new password ends all other sessions.</p>
      <TextField
        label="Current password"
        type="password"
        required
        autocomplete="current-password"
        text={current}
      />
      <TextField
        label="New password"
        type="password"
        required
        minLength={6}
        maxLength={128}
        autocomplete="new-password"
        text={next}
      />
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={error.value} failed="log-in" />
      <div class="row">
        <Button type="submit" isBusy={isBusy.value}>
          Change the password
        </Button>
        <span role="status">{isSaved.value && 'Changed.'}</span>
      </div>
    </form>
  );
}
