import { Autocomplete, Button, PasswordInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { FaultNote } from '../../parts/fault';
import { type Connection, fieldsOf, filled, type Saved } from './data';
import { NotSaved, useSaving } from './saving';

const sites = ['na.myconnectwise.net', 'eu.myconnectwise.net', 'au.myconnectwise.net', 'aus.myconnectwise.net', 'za.myconnectwise.net'];

interface Form {
  connection?: Connection;
  save: string;
  onSaved: (saved: Saved) => void;
  /** What a test found, without saving. */
  onTested?: (found: Schemas['TestResult']) => void;
  children?: ReactNode;
}

/** The way to ConnectWise Manage. Saving tries it; keys that are left empty stay. */
export function ManageForm({ connection: c, save, onSaved, onTested, children }: Form) {
  const form = useForm({
    initialValues: { site: c?.site ?? '', company: c?.company ?? '', publicKey: '', privateKey: '', clientId: c?.clientId ?? '' },
  });
  const saving = useSaving(c, { saved: onSaved, failed: (error) => form.setErrors(fieldsOf(error)) });
  const test = useMutation({
    mutationFn: () => got(api.POST('/connections/test', { body: { kind: 'manage', ...filled(form.values) } })),
    onSuccess: (found) => onTested?.(found),
    onError: (error) => form.setErrors(fieldsOf(error)),
  });
  const send = (evenIfBroken?: true) => {
    test.reset();
    saving.mutate({ kind: 'manage', ...filled(form.values), evenIfBroken });
  };
  return (
    <form className="stack" onSubmit={form.onSubmit(() => send())}>
      <Autocomplete size="xs" openOnFocus={false} comboboxProps={{ withinPortal: false }} label="Site" description="The host that you sign in to" placeholder="na.myconnectwise.net" data={sites} required autoFocus={!c} maxLength={300} {...form.getInputProps('site')} />
      <TextInput label="Company id" description="As in the sign-in to ConnectWise" required maxLength={100} autoComplete="off" {...form.getInputProps('company')} />
      <div className="pair">
        <TextInput label="Public key" required={!c} placeholder={c?.publicKey} maxLength={200} autoComplete="off" {...form.getInputProps('publicKey')} />
        <PasswordInput label="Private key" required={!c} placeholder={c && 'As it is'} maxLength={20000} autoComplete="off" {...form.getInputProps('privateKey')} />
      </div>
      <TextInput label="Client id" description="Of developer.connectwise.com" maxLength={200} autoComplete="off" {...form.getInputProps('clientId')} />
      <NotSaved error={saving.error} subject="the security role of the API member in ConnectWise" onAnyway={() => send(true)} />
      {test.error && <FaultNote error={test.error} />}
      <div className="row wrap">
        <Button type="submit" variant="filled" loading={saving.isPending} disabled={test.isPending}>
          {save}
        </Button>
        {onTested && (
          <Button loading={test.isPending} disabled={saving.isPending} onClick={(e) => e.currentTarget.form?.reportValidity() && test.mutate()}>
            Test connection
          </Button>
        )}
        {children}
      </div>
    </form>
  );
}
