import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../api/client';
import { FaultNote, Loaded } from '../parts/fault';

/** A new authenticator: the picture or its key, then a code of it, then recovery codes. */
export function Enrol({ onDone }: { onDone: () => void }) {
  const enrolment = useQuery({
    queryKey: ['enrolment'],
    queryFn: () => got(api.POST('/me/mfa')),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0, // the key is not to be found again
    retry: false,
  });
  const [codes, setCodes] = useState<string[]>();
  if (codes) return <Codes codes={codes} onDone={onDone} />;
  return (
    <Loaded query={enrolment} what="The new authenticator" rows={4}>
      {(e) => <Scan enrolment={e} onCodes={setCodes} />}
    </Loaded>
  );
}

function Scan({ enrolment, onCodes }: { enrolment: Schemas['MfaEnrolment']; onCodes: (codes: string[]) => void }) {
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () => got(api.PUT('/me/mfa', { body: { code } })),
    onSuccess: (made) => onCodes(made.codes),
    onError: () => setCode(''),
  });
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        confirm.mutate();
      }}
    >
      <p>Scan this with an authenticator app, such as Microsoft Authenticator.</p>
      {enrolment.picture.startsWith('data:image/') && <img className="qr" src={enrolment.picture} alt="QR code of the key below" />}
      <div className="stack tight">
        <span className="small quiet">Or type the key</span>
        <div className="key" data-key>
          {enrolment.key}
        </div>
      </div>
      <TextInput
        label="Code that the app shows"
        autoComplete="one-time-code"
        inputMode="numeric"
        maxLength={40}
        required
        value={code}
        onChange={(e) => setCode(e.currentTarget.value)}
      />
      {confirm.error && <FaultNote error={confirm.error} />}
      <Button type="submit" variant="filled" loading={confirm.isPending}>
        Confirm
      </Button>
    </form>
  );
}

/** The recovery codes, which are shown this once. */
export function Codes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const [saved, setSaved] = useState(false);
  const [copied, setCopied] = useState<boolean>();
  const text = codes.join('\n');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      setCopied(false); // a browser may forbid it, or not have it without https
    }
  };
  const download = () => {
    const url = URL.createObjectURL(new Blob([`Trueup recovery codes, each works once\n\n${text}\n`], { type: 'text/plain' }));
    const a = document.createElement('a');
    a.href = url;
    a.download = 'trueup-recovery-codes.txt';
    a.click();
    URL.revokeObjectURL(url);
  };
  return (
    <div className="stack">
      <h2>Keep these recovery codes</h2>
      <p>Each of them signs you in once when your authenticator is not at hand. They are not shown again.</p>
      <ul className="codes">
        {codes.map((c) => (
          <li key={c}>{c}</li>
        ))}
      </ul>
      <div className="row">
        <Button onClick={() => void copy()}>{copied ? 'Copied' : 'Copy'}</Button>
        <Button onClick={download}>Download</Button>
        <span className="small quiet" role="status">
          {copied === false && 'Your browser did not copy them.'}
        </span>
      </div>
      <Checkbox label="I saved them" checked={saved} onChange={(e) => setSaved(e.currentTarget.checked)} />
      <Button variant="filled" disabled={!saved} onClick={onDone}>
        Continue
      </Button>
    </div>
  );
}
