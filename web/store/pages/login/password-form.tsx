import { useSignal } from '@preact/signals';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { logIn } from '../../session/log-in.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { TextField } from '../../ui/field.jsx';
import { useLogIn } from './use-log-in.js';

export function PasswordForm() {
  const identifier = useSignal('');
  const password = useSignal('');
  const { run, isBusy, error, refusal } = useLogIn(logIn);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void run({ identifier: identifier.value.trim(), password: password.value });
      }}
    >
      <TextField label="E-mail or phone" required autocomplete="username" text={identifier} />
      <TextField
        label="Password"
        type="password"
        required
        autocomplete="current-password"
        text={password}
      />
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={error.value} failed="log-in" />
      <Button type="submit" look="primary" isBusy={isBusy.value}>
        Log in
      </Button>
    </form>
  );
}
