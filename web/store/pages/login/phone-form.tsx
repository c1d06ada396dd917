import { useSignal } from '@preact/signals';
import { useAction } from '../../actions/use-action.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { requestCode, verifyCode } from '../../session/log-in.js';
import { config } from '../../settings/config.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { TextField } from '../../ui/field.jsx';
import { useLogIn } from './use-log-in.js';

/** Logs in with a code that is sent by SMS. */
export function PhoneForm() {
  const phone = useSignal('');
  const challengeId = useSignal<string | null>(null);
  const sending = useAction('requestCode', requestCode);
  async function send(): Promise<void> {
    const challenge = await sending.run({ phone: phone.value.trim() });
    if (challenge) challengeId.value = challenge.id;
  }
  if (challengeId.value) {
    return (
      <CodeForm
        challengeId={challengeId.value}
        phone={phone.value}
        goBack={() => {
          challengeId.value = null;
        }}
      />
    );
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <TextField
        label="Phone"
        type="tel"
        required
        autocomplete="tel"
        hint="With country code, such as +1 202 555 0143."
        text={phone}
      />
      <ErrorNotice error={sending.error.value} />
      <Button type="submit" look="primary" isBusy={sending.isBusy.value}>
        Send a code
      </Button>
    </form>
  );
}

interface CodeFormProps {
  readonly challengeId: string;
  readonly phone: string;
  goBack(): void;
}

function CodeForm({ challengeId, phone, goBack }: CodeFormProps) {
  const code = useSignal('');
  const name = useSignal('');
  const { run, isBusy, error, refusal } = useLogIn(verifyCode);
  const { messages } = config.value.links;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const named = name.value.trim();
        void run({ challengeId, code: code.value.trim(), ...(named && { name: named }) });
      }}
    >
      <p>
        A code was sent to {phone}.{' '}
        {messages && (
          <a href={messages} target="_blank" rel="noopener">
            Read it
          </a>
        )}
      </p>
      <TextField
        label="Code"
        required
        inputMode="numeric"
        autocomplete="one-time-code"
        maxLength={6}
        hint="Six digits, valid for five minutes."
        text={code}
      />
      <TextField
        label="Your name"
        autocomplete="name"
        maxLength={255}
        hint="Only for a new account."
        text={name}
      />
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={error.value} failed="log-in" />
      <div class="row">
        <Button type="submit" look="primary" isBusy={isBusy.value}>
          Log in
        </Button>
        <Button look="quiet" onClick={goBack}>
          Another phone
        </Button>
      </div>
    </form>
  );
}
