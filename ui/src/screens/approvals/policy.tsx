import { Button, Drawer, NumberInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError, api, got, match, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { many } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';

/** What is written without a person: the bounds, and the days before an invoice. */
export default function Policy({ onClose }: { onClose: () => void }) {
  const query = useQuery({ queryKey: ['policy'], queryFn: () => got(api.GET('/workspace/policy')), staleTime: 0 });
  return (
    <Drawer opened onClose={onClose} title="Approval rules" size={440}>
      <Loaded query={query} what="The approval rules" rows={4}>
        {(p) => <Form key={p.version} of={p} />}
      </Loaded>
    </Drawer>
  );
}

const text = (v: unknown) => (v === undefined || v === null ? '' : String(v));

function Form({ of }: { of: Schemas['WorkspacePolicy'] }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: {
      seats: text(of.policy.approveAbove.seats),
      percent: text(of.policy.approveAbove.percent),
      amount: text(of.policy.approveAbove.amount),
      freezeDays: text(of.policy.freezeDays),
    },
  });
  const save = useMutation({
    mutationFn: (v: typeof form.values) =>
      got(
        api.PUT('/workspace/policy', {
          params: { header: match(of.version) },
          body: {
            approveAbove: {
              ...(v.seats !== '' ? { seats: Number(v.seats) } : {}),
              ...(v.percent !== '' ? { percent: Number(v.percent) } : {}),
              ...(v.amount !== '' ? { amount: String(v.amount) } : {}),
            },
            freezeDays: Number(v.freezeDays || 0),
          },
        }),
      ),
    onSuccess: () => Promise.all([queries.invalidateQueries({ queryKey: ['policy'] }), queries.invalidateQueries({ queryKey: ['approvals'] })]),
    onError: (e) => form.setErrors(e instanceof ApiError ? e.fields : {}),
  });
  const locked = !may('billing');
  return (
    <form className="stack loose" onSubmit={form.onSubmit((v) => save.mutate(v))}>
      <p className="quiet">
        Changes within these bounds are written at the next sync; larger ones wait here. A bound that is empty is none.
        {of.waiting > 0 && ` ${many(of.waiting, 'change')} wait because of them now.`}
      </p>
      <NumberInput label="Ask above so many seats" min={0} allowDecimal={false} disabled={locked} {...form.getInputProps('seats')} />
      <NumberInput label="Ask above so many percent of the line" suffix=" %" min={0} allowDecimal={false} disabled={locked} {...form.getInputProps('percent')} />
      <NumberInput label="Ask above so much per month" min={0} decimalScale={2} disabled={locked} {...form.getInputProps('amount')} />
      <NumberInput label="Write nothing so many days before an invoice" description="Changes wait until it is made." min={0} max={31} allowDecimal={false} disabled={locked} {...form.getInputProps('freezeDays')} />
      {save.error && <FaultNote error={save.error} />}
      <div className="row">
        <Button type="submit" variant="filled" loading={save.isPending} disabled={locked || !form.isDirty()}>
          Save rules
        </Button>
        <span role="status">{save.isSuccess && 'Saved.'}</span>
        {locked && <span className="quiet">Your role can look but not change them.</span>}
      </div>
    </form>
  );
}
