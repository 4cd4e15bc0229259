import { Button, PasswordInput, Select, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type ReactNode, useRef, useState } from 'react';
import { Copy } from '../../parts/checks';
import { openTab, type Tab } from './consent';
import { type Connection, type ConnectionInput, fieldsOf, filled, isPartner, kindSentences, kindWords, type MicrosoftKind, microsoftKinds, redirectAddress, type Saved } from './data';
import { NotSaved, useSaving } from './saving';

const clouds = [
  { value: 'global', label: 'Microsoft 365' },
  { value: 'usGov', label: 'US government (GCC High)' },
  { value: 'usDoD', label: 'US Department of Defense' },
  { value: 'china', label: 'China (21Vianet)' },
];

interface Form {
  connection?: Connection;
  /** What is written on the button, where nobody has to sign in. */
  save: string;
  /** The tab in which a person signs in: open already, because a browser opens none later. */
  onSaved: (saved: Saved, tab?: Tab) => void;
  children?: ReactNode;
}

/** A way to Microsoft, of one of four kinds. Saving tries it; secrets that are left empty stay. */
export function MicrosoftForm({ connection: c, save, onSaved, children }: Form) {
  const [kind, setKind] = useState<MicrosoftKind>(c && c.kind !== 'manage' ? c.kind : 'partnerConsent');
  const [certified, setCertified] = useState(c?.secrets.some((s) => s.name === 'clientCertificate' && s.set) ?? false);
  const tab = useRef<Tab>(undefined);
  const form = useForm({
    initialValues: {
      name: c?.name ?? 'Partner',
      tenant: c?.tenant ?? '',
      clientId: c?.clientId ?? '',
      clientSecret: '',
      clientCertificate: '',
      username: c?.username ?? '',
      password: '',
      cloud: c?.cloud ?? 'global',
    },
  });
  const signsIn = kind === 'partnerConsent' && !c;
  const saving = useSaving(c, {
    saved: (saved) => onSaved(saved, tab.current),
    failed: (error) => {
      tab.current?.close();
      form.setErrors(fieldsOf(error));
    },
  });
  const send = (evenIfBroken?: true) => {
    tab.current = signsIn && !evenIfBroken ? openTab() : undefined;
    const { clientSecret, clientCertificate, username, password, ...all } = form.values;
    const own = kind === 'password' ? { username, password } : certified ? { clientCertificate } : { clientSecret };
    saving.mutate({ kind, ...filled({ ...all, ...own }), evenIfBroken } as ConnectionInput);
  };
  const kept = (set: boolean | undefined) => (set ? 'As it is' : undefined);
  const has = (name: string) => c?.secrets.some((s) => s.name === name && s.set);

  return (
    <form className="stack" onSubmit={form.onSubmit(() => send())}>
      {!c && (
        <Select
          label="Kind"
          data={microsoftKinds.map((value) => ({ value, label: kindWords[value] }))}
          value={kind}
          onChange={(v) => {
            const to = v as MicrosoftKind;
            setKind(to);
            if (['', 'Partner'].includes(form.values.name)) form.setFieldValue('name', isPartner(to) ? 'Partner' : '');
          }}
          description={kindSentences[kind]}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
        />
      )}
      {kind === 'password' && <div className="note warn">Microsoft refuses accounts that need a second factor. Use an app instead where you can.</div>}
      <TextInput label="Name" description="As you call it" required maxLength={200} {...form.getInputProps('name')} />
      <div className="pair">
        <TextInput label={isPartner(kind) ? 'Your tenant' : 'Tenant'} description="Its id, or a verified domain" required maxLength={253} autoComplete="off" {...form.getInputProps('tenant')} />
        <TextInput label="Application (client) id" description="Of the app registration" required maxLength={200} autoComplete="off" {...form.getInputProps('clientId')} />
      </div>
      {kind === 'password' ? (
        <div className="pair">
          <TextInput label="User name" required maxLength={300} autoComplete="off" {...form.getInputProps('username')} />
          <PasswordInput label="Password" required={!c} placeholder={kept(has('password'))} autoComplete="off" {...form.getInputProps('password')} />
        </div>
      ) : certified ? (
        <Textarea
          label="Certificate and its private key"
          description="PEM, as text"
          required={!has('clientCertificate')}
          placeholder={kept(has('clientCertificate'))}
          autosize
          minRows={4}
          maxRows={10}
          maxLength={20000}
          spellCheck={false}
          {...form.getInputProps('clientCertificate')}
        />
      ) : (
        <PasswordInput label="Client secret" required={!has('clientSecret')} placeholder={kept(has('clientSecret'))} autoComplete="off" maxLength={20000} {...form.getInputProps('clientSecret')} />
      )}
      {kind !== 'password' && (
        <div>
          <button type="button" className="linklike small" onClick={() => setCertified(!certified)}>
            {certified ? 'Use a secret instead' : 'Use a certificate instead'}
          </button>
        </div>
      )}
      {isPartner(kind) && (
        <div className="stack tight">
          <span className="small quiet">The app registration must have this redirect address:</span>
          <div className="row">
            <div className="key">{redirectAddress()}</div>
            <Copy text={redirectAddress()}>Copy</Copy>
          </div>
        </div>
      )}
      <details>
        <summary className="quiet">Another cloud than the global one</summary>
        <Select aria-label="Microsoft cloud" data={clouds} {...form.getInputProps('cloud')} style={{ paddingTop: 8 }} />
      </details>
      <NotSaved error={saving.error} subject="the app registration in Microsoft Entra" onAnyway={() => send(true)} />
      <div className="row wrap">
        <Button type="submit" variant="filled" loading={saving.isPending}>
          {signsIn ? 'Connect with Microsoft' : save}
        </Button>
        {children}
      </div>
    </form>
  );
}
