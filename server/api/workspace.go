package api

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// WorkspaceBook keeps a workspace's settings and policy.
type WorkspaceBook interface {
	// Workspace is a workspace as it is set; ErrNotFound.
	Workspace(ctx context.Context, w billing.WorkspaceID) (WorkspaceState, error)
	// ChangeWorkspace changes it in one transaction, and keeps who did it. It is ErrMoved
	// when version isn't the one that stands; ErrConflict when another has the name.
	ChangeWorkspace(ctx context.Context, by billing.Actor, w billing.WorkspaceID, version int64, change func(*WorkspaceState)) (WorkspaceState, error)
}

// WorkspaceState is a workspace as it is set.
type WorkspaceState struct {
	billing.Workspace

	Version     int64 // goes up with every change of anything that runs share
	HistoryDays int   // how long finished runs are kept; 0: for good
	Created     time.Time
	NextNight   time.Time
	Waiting     int // plans that wait beyond the policy
}

type workspaceScreen struct{ book WorkspaceBook }

// GetSettings answers with the settings and the version to change them by.
func (s workspaceScreen) GetSettings(ctx context.Context, _ GetSettingsRequestObject) (GetSettingsResponseObject, error) {
	is, err := s.book.Workspace(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	body := settingsOf(is)
	return GetSettings200JSONResponse{Body: body, Headers: GetSettings200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

// SaveSettings changes the settings. Going from observing to writing is a change like any
// other: what was planned meanwhile is planned again by the next sync.
func (s workspaceScreen) SaveSettings(ctx context.Context, r SaveSettingsRequestObject) (SaveSettingsResponseObject, error) {
	if _, err := time.LoadLocation(r.Body.TimeZone); err != nil || r.Body.TimeZone == "Local" {
		return nil, Faulty("timeZone", "unknown", "It isn't an IANA time zone, such as Australia/Brisbane.")
	}
	version, err := versionIn(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	is, err := s.book.ChangeWorkspace(ctx, actor(ctx), workspaceOf(ctx), version, func(w *WorkspaceState) { into(w, *r.Body) })
	if err != nil {
		return nil, err
	}
	body := settingsOf(is)
	return SaveSettings200JSONResponse{Body: body, Headers: SaveSettings200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

// GetPolicy answers with what is written without a person.
func (s workspaceScreen) GetPolicy(ctx context.Context, _ GetPolicyRequestObject) (GetPolicyResponseObject, error) {
	is, err := s.book.Workspace(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	body := policyOf(is)
	return GetPolicy200JSONResponse{Body: body, Headers: GetPolicy200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

// SavePolicy changes what is written without a person.
func (s workspaceScreen) SavePolicy(ctx context.Context, r SavePolicyRequestObject) (SavePolicyResponseObject, error) {
	version, err := versionIn(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	bounds := r.Body.ApproveAbove
	policy := billing.Policy{Seats: bounds.Seats, Percent: bounds.Percent, FreezeDays: r.Body.FreezeDays}
	if bounds.Amount != nil {
		amount, err := decimal.Parse(*bounds.Amount)
		if err != nil || amount.IsNeg() {
			return nil, Faulty("approveAbove.amount", "wrong_form", "It must be an amount such as 500, and not below 0.")
		}
		policy.Amount = &amount
	}
	is, err := s.book.ChangeWorkspace(ctx, actor(ctx), workspaceOf(ctx), version, func(w *WorkspaceState) { w.Policy = policy })
	if err != nil {
		return nil, err
	}
	body := policyOf(is)
	return SavePolicy200JSONResponse{Body: body, Headers: SavePolicy200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

func policyOf(is WorkspaceState) WorkspacePolicy {
	p := WorkspacePolicy{
		Policy:  Policy{ApproveAbove: ApproveAbove{Seats: is.Policy.Seats, Percent: is.Policy.Percent}, FreezeDays: is.Policy.FreezeDays},
		Version: strconv.FormatInt(is.Version, 10), Waiting: is.Waiting,
	}
	if a := is.Policy.Amount; a != nil {
		text := a.String()
		p.Policy.ApproveAbove.Amount = &text
	}
	return p
}

func settingsOf(is WorkspaceState) WorkspaceSettings {
	d := is.LinkDefaults
	mode := SettingsInputModeLive
	if is.Observe {
		mode = SettingsInputModeObserve
	}
	return WorkspaceSettings{
		Settings: SettingsInput{
			Name: is.Name, TimeZone: is.Zone, Currency: is.Currency, Mode: mode, NightlyAt: is.NightlyAt,
			LinkDefaults: LinkDefaults{
				Users: cmp.Or(UsersForm(d.Users), UsersFormNone), Basis: cmp.Or(Basis(d.Basis), BasisPurchased), ShowUnassigned: d.ShowUnassigned,
				Included: d.Included, Minimum: d.Minimum,
				AllowNegativeProrate: d.AllowCredit, BillGrace: d.BillGrace, BillTrials: d.BillTrials == billing.On,
			},
			UnknownMember: SettingsInputUnknownMember(is.UnknownMember), EmbedFallback: is.EmbedFallback, KeepHistoryDays: is.HistoryDays,
		},
		Version: strconv.FormatInt(is.Version, 10), NextNight: is.NextNight, Created: is.Created,
	}
}

// into takes the settings over as they were given, whole.
func into(w *WorkspaceState, s SettingsInput) {
	d := s.LinkDefaults
	w.Name, w.Zone, w.Currency, w.Observe, w.NightlyAt = s.Name, s.TimeZone, s.Currency, s.Mode == SettingsInputModeObserve, s.NightlyAt
	w.UnknownMember, w.EmbedFallback, w.HistoryDays = string(s.UnknownMember), s.EmbedFallback, s.KeepHistoryDays
	w.LinkDefaults = billing.Options{
		Users: billing.NameForm(d.Users), Basis: billing.Basis(d.Basis), ShowUnassigned: d.ShowUnassigned, Included: d.Included,
		Minimum: d.Minimum, AllowCredit: d.AllowNegativeProrate, BillGrace: d.BillGrace, BillTrials: billing.FlagOf(d.BillTrials),
	}
}

// versionIn reads the number that If-Match names; one that can't be stands for nothing.
func versionIn(match IfMatch) (int64, error) {
	n, err := strconv.ParseInt(unquoted(match), 10, 64)
	if err != nil {
		return 0, ErrMoved
	}
	return n, nil
}
