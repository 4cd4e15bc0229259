import { Button, Drawer, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, got, type Schemas } from '../../api/client';
import { FaultNote } from '../../parts/fault';
import { Note, Once } from '../../parts/once';
import { roleChoice, roleDoes } from '../../parts/roles';
import { Text, Time } from '../../parts/show';
import { fieldsOf } from './data';

/** What became of a link that lets a person in: mailed, or to be handed over. */
export function Handed({ link, to }: { link: Schemas['OneTimeLink']; to: string }) {
  if (link.sent || !link.link) {
    return (
      <Note tone="ok">
        A mail is on its way to <Text>{to}</Text>. Its link works once, until <Time at={link.ends} full />.
      </Note>
    );
  }
  return (
    <div className="stack">
      <Note tone="warn">
        No mail went to <Text>{to}</Text>. Hand this link over yourself, to nobody else. It works once, until <Time at={link.ends} full />, and is not shown again.
      </Note>
      <Once what="The link">{link.link}</Once>
    </div>
  );
}

/** Invites somebody by their address. */
export function Invite({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const form = useForm<{ email: string; role: Schemas['Role'] }>({ initialValues: { email: '', role: 'technician' } });
  const invite = useMutation({
    mutationFn: (body: { email: string; role: Schemas['Role'] }) => got(api.POST('/invitations', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['users', 'invitations'] }),
    onError: (e) => form.setErrors(fieldsOf(e)),
  });
  const made = invite.data;
  return (
    <Drawer opened onClose={onClose} title="Invite somebody" size={440}>
      {made ? (
        <div className="stack loose">
          <Handed link={made.link} to={made.invitation.email} />
          <div className="row">
            <Button variant="filled" onClick={onClose}>
              Done
            </Button>
            <Button
              onClick={() => {
                invite.reset();
                form.reset();
              }}
            >
              Invite another
            </Button>
          </div>
        </div>
      ) : (
        <form className="stack loose" onSubmit={form.onSubmit((v) => invite.mutate(v))}>
          <TextInput label="E-mail" type="email" autoComplete="off" required data-autofocus {...form.getInputProps('email')} />
          <Select label="Role" description={roleDoes(form.values.role)} data={roleChoice} {...form.getInputProps('role')} />
          {invite.error && <FaultNote error={invite.error} />}
          <div>
            <Button type="submit" variant="filled" loading={invite.isPending}>
              Invite
            </Button>
          </div>
        </form>
      )}
    </Drawer>
  );
}
