import type { Schemas } from '../api/client';

type Role = Schemas['Role'];

export const roleNames: Record<Role, string> = { viewer: 'Viewer', technician: 'Technician', billing: 'Billing', admin: 'Admin' };

const does: Record<Role, string> = {
  viewer: 'Looks at everything, changes nothing.',
  technician: 'Links licenses and syncs.',
  billing: 'Approves changes, keeps billing profiles and approval rules.',
  admin: 'Everything, also connections and users.',
};

/** What a role may do; each may what those before it may. */
export const roleDoes = (role: string | null | undefined) => (role && role in does ? does[role as Role] : undefined);

/** The roles as a choice. */
export const roleChoice = (Object.keys(roleNames) as Role[]).map((value) => ({ value, label: roleNames[value] }));
