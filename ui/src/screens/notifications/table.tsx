import './notifications.css';
import { Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { settingsQuery, useMe } from '../../api/session';
import { zones } from '../../parts/zones';
import { choosing, frequencies, how, kinds, type Wanted, weekdays, weekly } from './data';

interface Props {
  value: Wanted;
  onChange: (to: Wanted) => void;
  disabled?: boolean;
}

/** What is told, and how often: a row a kind. */
export function NotificationTable({ value, onChange, disabled }: Props) {
  return (
    <table className="told-matrix">
      <caption className="unseen">What you are told, and how often</caption>
      <thead>
        <tr>
          <th scope="col">Tell me of</th>
          {frequencies.map((f) => (
            <th key={f.how} scope="col">
              {f.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {kinds.map((k) => (
          <tr key={k.kind}>
            <th scope="row">
              {k.name}
              <div className="small quiet">{k.about}</div>
            </th>
            {frequencies.map((f) => (
              <td key={f.how}>
                <label>
                  <span className="unseen">{`${k.name}: ${f.name}`}</span>
                  <input type="radio" name={`tell-${k.kind}`} checked={how(value, k.kind) === f.how} disabled={disabled} onChange={() => onChange(choosing(value, k.kind, f.how))} />
                </label>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Where mails go, and when a digest comes. */
export function NotificationFields({ value, onChange, disabled, errors = {} }: Props & { errors?: Record<string, string> }) {
  const { user } = useMe();
  const zone = useQuery(settingsQuery).data?.settings.timeZone ?? '';
  return (
    <div className="row wrap" style={{ alignItems: 'flex-start', gap: 12 }}>
      <TextInput
        type="email"
        label="Address"
        placeholder={user?.email}
        description="Empty: that of your account"
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        maxLength={254}
        value={value.email ?? ''}
        onChange={(e) => onChange({ ...value, email: e.currentTarget.value })}
        error={errors.email}
        disabled={disabled}
        w={260}
      />
      <TextInput
        type="time"
        label="Digests at"
        required
        withAsterisk={false}
        value={value.digestAt}
        onChange={(e) => e.currentTarget.value && onChange({ ...value, digestAt: e.currentTarget.value })}
        error={errors.digestAt}
        disabled={disabled}
        w={120}
      />
      <Select
        label="Weekly ones on"
        data={weekdays.map((name, i) => ({ value: String(i), label: name }))}
        value={String(value.weekday)}
        onChange={(v) => onChange({ ...value, weekday: Number(v) })}
        disabled={disabled || !weekly(value)}
        w={140}
      />
      <Select
        label="Time zone"
        placeholder={zone || "The workspace's"}
        searchable
        clearable
        limit={60}
        data={zones()}
        value={value.timeZone || null}
        onChange={(v) => onChange({ ...value, timeZone: v ?? undefined })}
        error={errors.timeZone}
        disabled={disabled}
        w={210}
      />
    </div>
  );
}
