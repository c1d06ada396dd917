import { useSignal } from '@preact/signals';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { register } from '../../session/log-in.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { TextField } from '../../ui/field.jsx';
import { useLogIn } from './use-log-in.js';

/** Opens an account. */
export function RegisterForm() {
  const name = useSignal('');
  const email = useSignal('');
  const password = useSignal('');
  const { run, isBusy, error, refusal } = useLogIn(register);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const input = { name: name.value, email: email.value.trim(), password: password.value };
        void run(input);
      }}
    >
      <TextField label="Name" required maxLength={255} autocomplete="name" text={name} />
      <TextField label="E-mail" type="email" required autocomplete="email" text={email} />
      <TextField
        label="Password"
        type="password"
        required
        minLength={6}
        maxLength={128}
        autocomplete="new-password"
        hint="6 characters or more, not a common one."
        text={password}
      />
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={error.value} failed="log-in" />
      <Button type="submit" look="primary" isBusy={isBusy.value}>
        Create the account
      </Button>
    </form>
  );
}
