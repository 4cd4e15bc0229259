package main

import (
	"context"
	"reflect"
	"slices"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// workspaceBook keeps settings and policy in the store.
type workspaceBook struct{ p *product }

// Workspace reads a workspace as it is set.
func (b workspaceBook) Workspace(ctx context.Context, w billing.WorkspaceID) (api.WorkspaceState, error) {
	return b.read(ctx, b.p.store.In(w))
}

func (b workspaceBook) read(ctx context.Context, in *store.Scope) (api.WorkspaceState, error) {
	set, err := in.Settings(ctx)
	if err != nil {
		return api.WorkspaceState{}, err
	}
	facts, err := in.WorkspaceFacts(ctx)
	if err != nil {
		return api.WorkspaceState{}, err
	}
	waiting, err := in.Waiting(ctx, 0)
	if err != nil {
		return api.WorkspaceState{}, err
	}
	is := api.WorkspaceState{
		Workspace: set.Workspace, Version: set.Version, HistoryDays: facts.HistoryDays, Created: facts.Created,
		NextNight: b.p.nextNight(set.Workspace),
	}
	for _, w := range waiting {
		if slices.ContainsFunc(w.Holds, func(h billing.Hold) bool { return slices.Contains(ofPolicy(), h.Code) }) {
			is.Waiting++
		}
	}
	return is, nil
}

// ofPolicy are the holds that the policy makes.
func ofPolicy() []billing.Code {
	return []billing.Code{billing.DropTooLarge, billing.RiseTooLarge, billing.AmountTooLarge, billing.Frozen}
}

// ChangeWorkspace changes a workspace and keeps who did it, in one transaction; what runs
// plan by it from then on. A workspace whose policy or mode changed is looked at anew.
func (b workspaceBook) ChangeWorkspace(ctx context.Context, by billing.Actor, w billing.WorkspaceID, version int64, change func(*api.WorkspaceState)) (api.WorkspaceState, error) {
	var out api.WorkspaceState
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		was, err := b.read(ctx, in)
		if err != nil {
			return err
		}
		if was.Version != version {
			return api.ErrMoved
		}
		is := was
		change(&is)
		if err := in.SaveWorkspace(ctx, is.Workspace); err != nil {
			return err
		}
		if err := in.KeepHistory(ctx, is.HistoryDays); err != nil {
			return err
		}
		if err := in.Audit(ctx, workspaceChanged(by, was, is)); err != nil {
			return err
		}
		if was.Observe != is.Observe || !reflect.DeepEqual(was.Policy, is.Policy) {
			if _, err := in.MarkAllDue(ctx, billing.OnDemand); err != nil {
				return err
			}
		}
		out, err = b.read(ctx, in)
		return err
	})
	return out, err
}

func workspaceChanged(by billing.Actor, was, is api.WorkspaceState) billing.AuditEntry {
	e := billing.AuditEntry{
		Actor: by, Action: "settings_changed", Text: "Changed the settings of the workspace.",
		SubjectKind: "workspace", SubjectName: is.Name, Before: map[string]any{}, After: map[string]any{},
	}
	if !reflect.DeepEqual(was.Policy, is.Policy) {
		e.Action, e.Text = "policy_changed", "Changed what is written without a person."
	}
	before, after := settingsNoted(was), settingsNoted(is)
	for name := range before {
		if !reflect.DeepEqual(before[name], after[name]) {
			e.Before[name], e.After[name] = before[name], after[name]
		}
	}
	return e
}

// settingsNoted are the settings as the audit names them.
func settingsNoted(w api.WorkspaceState) map[string]any {
	noted := map[string]any{
		"name": w.Name, "timeZone": w.Zone, "currency": w.Currency, "observe": w.Observe, "nightlyAt": w.NightlyAt,
		"unknownMember": w.UnknownMember, "embedFallback": w.EmbedFallback, "keepHistoryDays": w.HistoryDays,
		"linkDefaults": w.LinkDefaults, "freezeDays": w.Policy.FreezeDays, "seats": nil, "percent": nil, "amount": nil,
	}
	if v := w.Policy.Seats; v != nil {
		noted["seats"] = *v
	}
	if v := w.Policy.Percent; v != nil {
		noted["percent"] = *v
	}
	if v := w.Policy.Amount; v != nil {
		noted["amount"] = v.String()
	}
	return noted
}

// nextNight is when the workspace's next night begins; zero where its zone or time can't
// be read.
func (p *product) nextNight(w billing.Workspace) time.Time {
	zone, err1 := time.LoadLocation(w.Zone)
	at, err2 := time.Parse("15:04", or(w.NightlyAt, p.Settings.NightlyAt))
	if err1 != nil || err2 != nil {
		return time.Time{}
	}
	now := p.now()
	day := billing.DayOf(now.In(zone))
	for {
		if begins := reconcile.NightOf(day, at.Hour(), at.Minute(), zone); begins.After(now) {
			return begins
		}
		day++
	}
}
