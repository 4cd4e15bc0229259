import { Checkbox, NumberInput, Radio, Select, Switch, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { money, next } from '../../format';
import { zones } from '../../parts/zones';
import { inWords, type PolicyDraft, policyFaults, policyOf, type Settings } from './data';

interface Part {
  of: Settings;
  set: (change: Partial<Settings>) => void;
  errors: Record<string, string>;
  disabled: boolean;
}

function Group({ id, title, about, children }: { id: string; title: string; about?: ReactNode; children: ReactNode }) {
  return (
    <section aria-labelledby={id}>
      <div>
        <h2 id={id}>{title}</h2>
        {about && <p className="small quiet">{about}</p>}
      </div>
      <div className="stack">{children}</div>
    </section>
  );
}

export function Workspace({ of, set, errors, disabled }: Part) {
  return (
    <Group id="workspace" title="Workspace" about="Days are those of this zone, and times are shown in it.">
      <TextInput label="Name" required maxLength={200} value={of.name} onChange={(e) => set({ name: e.currentTarget.value })} error={errors.name} disabled={disabled} />
      <div className="row wrap" style={{ alignItems: 'flex-start', gap: 12 }}>
        <Select label="Time zone" searchable limit={60} data={zones()} value={of.timeZone} onChange={(v) => v && set({ timeZone: v })} error={errors.timeZone} disabled={disabled} w={230} />
        <TextInput
          label="Currency"
          description="Of custom prices that name none"
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          placeholder="USD"
          maxLength={3}
          value={of.currency}
          onChange={(e) => set({ currency: e.currentTarget.value.toUpperCase() })}
          error={errors.currency}
          disabled={disabled}
          w={190}
        />
      </div>
    </Group>
  );
}

export function Writing({ of, set, disabled }: Part) {
  return (
    <Group id="writing" title="Writing to ConnectWise">
      <Radio.Group aria-label="Writing to ConnectWise" value={of.mode} onChange={(mode) => set({ mode: mode as Settings['mode'] })}>
        <div className="stack tight">
          <Radio value="observe" label="Observe only" description="Trueup reads and plans, shows what it would change, and writes nothing." disabled={disabled} />
          <Radio value="live" label="Live" description="What the approval rules let through is written at each sync." disabled={disabled} />
        </div>
      </Radio.Group>
    </Group>
  );
}

export function Rules({ of, set, errors, disabled, currency, waiting }: { of: PolicyDraft; set: (change: Partial<PolicyDraft>) => void; errors: Record<string, string>; disabled: boolean; currency: string; waiting: number }) {
  const faults = policyFaults(of);
  const field = (name: keyof PolicyDraft) => ({
    value: of[name],
    onChange: (e: { currentTarget: { value: string } }) => set({ [name]: e.currentTarget.value.trim() }),
    error: faults[name] ?? errors[name] ?? errors[`approveAbove.${name}`],
    disabled,
    inputMode: 'decimal' as const,
    w: 150,
  });
  return (
    <Group id="rules" title="Approval rules" about={waiting > 0 ? `${waiting} ${waiting === 1 ? 'change waits' : 'changes wait'} because of them now.` : 'What is larger waits in Approvals. A bound that is empty is none.'}>
      <div className="row wrap" style={{ alignItems: 'flex-start', gap: 12 }}>
        <TextInput label="Above seats" {...field('seats')} />
        <TextInput label="Above % of the line" {...field('percent')} />
        <TextInput label="Above money" description="A month, or the next invoice" inputWrapperOrder={['label', 'input', 'description', 'error']} {...field('amount')} />
      </div>
      {Object.keys(faults).length === 0 && (
        <p className="quiet" role="status">
          {inWords(policyOf(of), (a) => money(a, currency))}
        </p>
      )}
      <TextInput label="Freeze before an invoice, days" description="So many days before the next invoice nothing is written. 0: never." {...field('freezeDays')} w={230} />
    </Group>
  );
}

export function Night({ of, set, errors, disabled, nextNight }: Part & { nextNight?: string }) {
  return (
    <Group id="night" title="Night" about="Every customer is synced once a night.">
      <div className="row wrap" style={{ alignItems: 'flex-end' }}>
        <TextInput type="time" label="Begins at" value={of.nightlyAt} onChange={(e) => set({ nightlyAt: e.currentTarget.value })} error={errors.nightlyAt} disabled={disabled} w={140} />
        <span className="quiet" style={{ paddingBottom: 5 }}>
          {!of.nightlyAt && 'Empty: when the service says. '}
          {nextNight && `The next one begins ${next(nextNight, of.timeZone)}.`}
        </span>
      </div>
    </Group>
  );
}

const users: { value: Schemas['UsersForm']; label: string }[] = [
  { value: 'none', label: 'No' },
  { value: 'name', label: 'By name' },
  { value: 'upn', label: 'By sign-in name' },
  { value: 'initials', label: 'By initials' },
];

export function Defaults({ of, set, errors, disabled }: Part) {
  const d = of.linkDefaults;
  const change = (to: Partial<Settings['linkDefaults']>) => set({ linkDefaults: { ...d, ...to } });
  const box = (name: 'showUnassigned' | 'allowNegativeProrate' | 'billGrace' | 'billTrials', label: string) => (
    <Checkbox label={label} checked={d[name]} onChange={(e) => change({ [name]: e.currentTarget.checked })} disabled={disabled} />
  );
  return (
    <Group id="defaults" title="New links" about="What a new link begins with. Links that are there stay as they are.">
      <Radio.Group label="Count by" value={d.basis} onChange={(basis) => change({ basis: basis as Schemas['Basis'] })}>
        <div className="row" style={{ gap: 20, paddingTop: 4 }}>
          <Radio value="purchased" label="Purchased licenses" disabled={disabled} />
          <Radio value="assigned" label="Assigned users" disabled={disabled} />
        </div>
      </Radio.Group>
      <div className="row wrap" style={{ alignItems: 'flex-start', gap: 12 }}>
        <Select label="Users on the invoice" data={users} value={d.users} onChange={(v) => change({ users: v as Schemas['UsersForm'] })} disabled={disabled} w={180} />
        <NumberInput label="Included" min={0} max={1_000_000} allowDecimal={false} value={d.included} onChange={(n) => change({ included: Number(n) || 0 })} error={errors['linkDefaults.included']} disabled={disabled} w={110} />
        <NumberInput label="Minimum" min={0} max={1_000_000} allowDecimal={false} value={d.minimum} onChange={(n) => change({ minimum: Number(n) || 0 })} error={errors['linkDefaults.minimum']} disabled={disabled} w={110} />
      </div>
      {box('showUnassigned', 'Show unassigned seats on the invoice')}
      {box('allowNegativeProrate', 'Prorate decreases as a credit')}
      {box('billGrace', 'Bill seats in their grace period')}
      {box('billTrials', 'Bill trials')}
    </Group>
  );
}

export function Inside({ of, set, disabled }: Part) {
  return (
    <Group id="inside" title="Inside ConnectWise" about="The screens on agreement and company pages.">
      <Radio.Group label="A member who is no user here" value={of.unknownMember} onChange={(v) => set({ unknownMember: v as Settings['unknownMember'] })}>
        <div className="stack tight" style={{ paddingTop: 4 }}>
          <Radio value="viewer" label="May look at the record it stands on" disabled={disabled} />
          <Radio value="none" label="Sees nothing" disabled={disabled} />
        </div>
      </Radio.Group>
      <Switch
        label="Sign in with Trueup where ConnectWise can't say who looks"
        checked={of.embedFallback}
        onChange={(e) => set({ embedFallback: e.currentTarget.checked })}
        disabled={disabled}
      />
    </Group>
  );
}

export function History({ of, set, errors, disabled }: Part) {
  const forGood = of.keepHistoryDays === 0;
  return (
    <Group id="history" title="History" about="What was seen, planned and written. The audit stays either way.">
      <Radio.Group aria-label="History" value={forGood ? 'good' : 'days'} onChange={(v) => set({ keepHistoryDays: v === 'good' ? 0 : 2557 })}>
        <div className="stack tight">
          <Radio value="good" label="Keep it for good" disabled={disabled} />
          <Radio value="days" label="End it after some days" disabled={disabled} />
        </div>
      </Radio.Group>
      {!forGood && (
        <NumberInput
          label="Days"
          description="Seven years are 2,557"
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          min={1}
          max={36_500}
          allowDecimal={false}
          value={of.keepHistoryDays}
          onChange={(n) => Number(n) > 0 && set({ keepHistoryDays: Number(n) })}
          error={errors.keepHistoryDays}
          disabled={disabled}
          w={150}
        />
      )}
    </Group>
  );
}
