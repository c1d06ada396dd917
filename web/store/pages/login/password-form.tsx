import { useSignal } from '@preact/signals';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { logIn } from '../../session/log-in.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { Field } from '../../ui/field.jsx';
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
      <Field
        label="E-mail or phone"
        required
        autocomplete="username"
        value={identifier.value}
        onValue={(value) => {
          identifier.value = value;
        }}
      />
      <Field
        label="Password"
        type="password"
        required
        autocomplete="current-password"
        value={password.value}
        onValue={(value) => {
          password.value = value;
        }}
      />
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={error.value} />
      <Button type="submit" look="primary" isBusy={isBusy.value}>
        Log in
      </Button>
    </form>
  );
}
