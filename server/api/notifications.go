package api

import (
	"context"
	"fmt"
	netmail "net/mail"
	"strconv"
	"time"

	"trueup/server/billing"
)

// NotificationsBook keeps what is told, to whom, and mutes.
type NotificationsBook interface {
	PreferenceBook
	NoticeBook
}

// PreferenceBook keeps what a user is told. ErrNotFound is who is no user of the workspace.
type PreferenceBook interface {
	// Preference reads what a user wants to be told and how it went.
	Preference(ctx context.Context, w billing.WorkspaceID, user billing.UserID) (PreferenceState, error)
	// SavePreference changes it, and keeps who did it.
	SavePreference(ctx context.Context, by billing.Actor, w billing.WorkspaceID, user billing.UserID, p billing.Preference) (PreferenceState, error)
	// TestMail sends a user a mail and says where to. A Refusal says why it wasn't sent.
	TestMail(ctx context.Context, w billing.WorkspaceID, user billing.UserID) (to string, err error)
}

// NoticeBook keeps what is told in a workspace, and what isn't for a while.
type NoticeBook interface {
	// Notifications lists them, newest first, and the cursor of the next page. A cursor
	// that nobody gave is ErrInvalid.
	Notifications(ctx context.Context, w billing.WorkspaceID, ask NoticeAsk) ([]NoticeState, string, error)
	// Mutes lists those that last, by their end.
	Mutes(ctx context.Context, w billing.WorkspaceID) ([]MuteState, error)
	// AddMute adds one, and keeps who did it. One that is over, or of a customer that there
	// isn't, is a Refusal with the field.
	AddMute(ctx context.Context, by billing.Actor, w billing.WorkspaceID, m billing.Mute) (MuteState, error)
	// RemoveMute ends one before its day, and keeps who did it; ErrNotFound.
	RemoveMute(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.MuteID) error
}

// PreferenceState is what a user is told, and how it went.
type PreferenceState struct {
	billing.Preference

	Mail         bool      // mails can be sent
	Sent, Failed time.Time // the last; zero: never
	Error        string    // of the last failure
}

// NoticeAsk is which notifications are asked for.
type NoticeAsk struct {
	User     billing.UserID // for whom Sent is given
	Customer billing.CustomerID
	Ended    bool // those that are over too
	Limit    int
	Cursor   string
}

// NoticeState is a notification, whom it is about, and when it was sent to the user.
type NoticeState struct {
	billing.Notification

	About billing.Customer // ID 0: the workspace
	Sent  time.Time        // zero: not yet
}

// MuteState is a mute with the names of what it is about.
type MuteState struct {
	billing.Mute

	About                   billing.Customer // ID 0: no customer
	LicenseName, PartNumber string
}

type notificationsScreen struct {
	book NotificationsBook
}

// me is the user who asks. A member of Manage without a user has no mails.
func me(ctx context.Context) (billing.UserID, error) {
	if user := principal(ctx).User; user != 0 {
		return user, nil
	}
	return 0, fmt.Errorf("who asks is no user: %w", ErrNotFound)
}

// GetNotifications answers with what the user is told.
func (s notificationsScreen) GetNotifications(ctx context.Context, _ GetNotificationsRequestObject) (GetNotificationsResponseObject, error) {
	user, err := me(ctx)
	if err != nil {
		return nil, err
	}
	is, err := s.book.Preference(ctx, workspaceOf(ctx), user)
	if err != nil {
		return nil, err
	}
	body := preferenceOf(is)
	return GetNotifications200JSONResponse{Body: body, Headers: GetNotifications200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

// SaveNotifications changes what the user is told. What was told stays told.
func (s notificationsScreen) SaveNotifications(ctx context.Context, r SaveNotificationsRequestObject) (SaveNotificationsResponseObject, error) {
	user, err := me(ctx)
	if err != nil {
		return nil, err
	}
	p, err := preferenceIn(*r.Body)
	if err != nil {
		return nil, err
	}
	is, err := s.book.SavePreference(ctx, actor(ctx), workspaceOf(ctx), user, p)
	if err != nil {
		return nil, err
	}
	return SaveNotifications200JSONResponse(preferenceOf(is)), nil
}

// TestNotifications sends the user a mail.
func (s notificationsScreen) TestNotifications(ctx context.Context, _ TestNotificationsRequestObject) (TestNotificationsResponseObject, error) {
	user, err := me(ctx)
	if err != nil {
		return nil, err
	}
	to, err := s.book.TestMail(ctx, workspaceOf(ctx), user)
	if err != nil {
		return nil, err
	}
	return TestNotifications200JSONResponse{To: to}, nil
}

// ListNotifications lists what was and will be told, newest first.
func (s notificationsScreen) ListNotifications(ctx context.Context, r ListNotificationsRequestObject) (ListNotificationsResponseObject, error) {
	ask := NoticeAsk{User: principal(ctx).User, Customer: billing.CustomerID(r.Params.Customer), Limit: limitOf(r.Params.Limit, 50)}
	ask.Ended = r.Params.Ended != nil && *r.Params.Ended
	if err := readCursor(r.Params.Cursor, &ask.Cursor); err != nil {
		return nil, err
	}
	list, next, err := s.book.Notifications(ctx, workspaceOf(ctx), ask)
	if err != nil {
		return nil, err
	}
	page := ListNotifications200JSONResponse{Items: each(list, noticeOf)}
	if next != "" {
		page.Next, err = cursorOf(next)
	}
	return page, err
}

// ListMutes lists what is not told for a while.
func (s notificationsScreen) ListMutes(ctx context.Context, _ ListMutesRequestObject) (ListMutesResponseObject, error) {
	all, err := s.book.Mutes(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return ListMutes200JSONResponse{Items: each(all, muteOf)}, nil
}

// AddMute lets something not be told until a day.
func (s notificationsScreen) AddMute(ctx context.Context, r AddMuteRequestObject) (AddMuteResponseObject, error) {
	until, err := dayIn("until", r.Body.Until)
	if err != nil {
		return nil, err
	}
	m := billing.Mute{
		Kind: billing.NotificationKind(r.Body.Kind), Customer: billing.CustomerID(r.Body.Customer), Reason: r.Body.Reason, Until: until,
		By: principal(ctx).Name,
	}
	if r.Body.License != "" {
		m.License = licenseIn(r.Body.License)
	}
	if m.Kind == "" && m.Customer == 0 && m.License.SKU == "" {
		return nil, Faulty("kind", "required", "Name a kind, a customer or a license.")
	}
	is, err := s.book.AddMute(ctx, actor(ctx), workspaceOf(ctx), m)
	if err != nil {
		return nil, err
	}
	return AddMute201JSONResponse(muteOf(is)), nil
}

// RemoveMute lets it be told again.
func (s notificationsScreen) RemoveMute(ctx context.Context, r RemoveMuteRequestObject) (RemoveMuteResponseObject, error) {
	err := s.book.RemoveMute(ctx, actor(ctx), workspaceOf(ctx), billing.MuteID(r.Mute))
	return RemoveMute204Response{}, err
}

func preferenceOf(is PreferenceState) NotificationSettings {
	in := NotificationInput{
		Choices: []NotificationChoice{}, DigestAt: is.DigestAt, Weekday: int(is.Weekday), Email: is.Email, TimeZone: is.Zone,
	}
	for _, k := range billing.NotificationKinds() {
		in.Choices = append(in.Choices, NotificationChoice{Kind: NotificationKind(k), How: Frequency(is.How(k))})
	}
	return NotificationSettings{
		Settings: in, Version: strconv.FormatInt(is.Version, 10), Mail: is.Mail, LastSent: is.Sent, LastFailed: is.Failed, LastError: is.Error,
	}
}

// preferenceIn reads what a user wants; a kind that isn't named is not told.
func preferenceIn(in NotificationInput) (billing.Preference, error) {
	p := billing.Preference{
		Email: in.Email, DigestAt: in.DigestAt, Weekday: time.Weekday(in.Weekday), Zone: in.TimeZone,
		Choices: map[billing.NotificationKind]billing.Frequency{},
	}
	for i, c := range in.Choices {
		kind := billing.NotificationKind(c.Kind)
		if _, twice := p.Choices[kind]; twice {
			return p, Faulty("choices."+strconv.Itoa(i)+".kind", "twice", "It is chosen already.")
		}
		p.Choices[kind] = billing.Frequency(c.How)
	}
	if _, err := time.LoadLocation(p.Zone); p.Zone != "" && (err != nil || p.Zone == "Local") {
		return p, Faulty("timeZone", "unknown", "It isn't an IANA time zone, such as Australia/Brisbane.")
	}
	if a, err := netmail.ParseAddress(p.Email); p.Email != "" && (err != nil || a.Address != p.Email) {
		return p, Faulty("email", "wrong_form", "It isn't an e-mail address alone, such as name@example.com.")
	}
	return p, nil
}

func noticeOf(n NoticeState) Notification {
	out := Notification{
		ID: int(n.ID), Kind: NotificationKind(n.Kind), Text: n.Text, Action: n.Action, By: dayOf(n.By), At: n.Began, SentAt: n.Sent, Ended: n.Ended,
	}
	for _, m := range n.Money {
		out.Money = append(out.Money, moneyOf(m))
	}
	if n.About.ID != 0 {
		out.Customer = customerRef(n.About)
	}
	return out
}

func muteOf(m MuteState) Mute {
	out := Mute{ID: int(m.ID), Kind: NotificationKind(m.Kind), Reason: m.Reason, Until: dayOf(m.Until), By: m.By, At: m.At}
	if m.About.ID != 0 {
		out.Customer = customerRef(m.About)
	}
	if m.License.SKU != "" {
		out.License = LicenseName{ID: licenseID(m.License), Name: m.LicenseName, PartNumber: m.PartNumber}
	}
	return out
}
