package notify

import (
	"context"
	"time"

	"trueup/server/billing"
)

// Invitation is what an invitation says.
type Invitation struct {
	To, Workspace, By, Link string
	Role                    billing.UserRole
	Ends                    time.Time
}

// Reset is what a mail says that lets a person set a new password.
type Reset struct {
	To, Name, Link string
	Ends           time.Time
}

// Invitation mails an invitation.
func (m *Mailer) Invitation(ctx context.Context, i Invitation) error {
	l, err := m.invitation(i)
	if err != nil {
		return err
	}
	return m.Send(ctx, l)
}

func (m *Mailer) invitation(i Invitation) (Letter, error) {
	by, workspace := plain(i.By, nameMost), plain(i.Workspace, nameMost)
	return m.letters.make("invitation", i.To, "Invitation to "+workspace+" on Trueup", map[string]string{
		"By": first(by, "An administrator"), "Workspace": workspace, "Role": article(i.Role), "Link": i.Link, "Ends": moment(i.Ends),
	})
}

// article is a role with its article.
func article(r billing.UserRole) string {
	switch r {
	case billing.RoleAdmin:
		return "an administrator"
	case billing.RoleBilling:
		return "a billing user"
	}
	return "a " + r.String()
}

// Reset mails a link that sets a new password.
func (m *Mailer) Reset(ctx context.Context, r Reset) error {
	l, err := m.reset(r)
	if err != nil {
		return err
	}
	return m.Send(ctx, l)
}

func (m *Mailer) reset(r Reset) (Letter, error) {
	return m.letters.make("reset", r.To, "New password for Trueup", map[string]string{
		"Name": plain(r.Name, nameMost), "Link": r.Link, "Ends": moment(r.Ends),
	})
}

// Test mails a user that mails arrive.
func (m *Mailer) Test(ctx context.Context, to billing.Addressee, workspace string) error {
	l, err := m.test(to, workspace)
	if err != nil {
		return err
	}
	return m.Send(ctx, l)
}

func (m *Mailer) test(to billing.Addressee, workspace string) (Letter, error) {
	workspace = plain(workspace, nameMost)
	return m.letters.make("test", to.To(), workspace+": a test", map[string]string{
		"Name": plain(to.Name, nameMost), "Workspace": workspace, "Preferences": m.public + preferencesScreen,
	})
}

// moment is a time as people of any zone read it.
func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
