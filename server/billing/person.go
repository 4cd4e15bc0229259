package billing

import (
	"fmt"
	"slices"
	"time"
)

// UserID is a person, in all workspaces.
type UserID int64

// SessionID names a session in lists and in the audit. It is no secret: the token that
// proves the session is kept as a hash only.
type SessionID int64

// TokenID names an API token in lists and in the audit; it is no secret either.
type TokenID int64

// InvitationID names an invitation.
type InvitationID int64

// ProviderID is an OpenID provider that a workspace's users may sign in with.
type ProviderID int64

// UserRole is what a user may do in a workspace. Each role may do all that those before it
// may, so roles are compared with >= and with At.
type UserRole int

// The roles, least first. The zero UserRole is nobody's and may do nothing.
const (
	NoRole         UserRole = iota
	RoleViewer              // look
	RoleTechnician          // link, sync now
	RoleBilling             // approve, profiles, policy
	RoleAdmin               // connections, users, everything
)

// roleWords are the text forms by role.
func roleWords() []string { return []string{"", "viewer", "technician", "billing", "admin"} }

// ParseUserRole reads viewer, technician, billing or admin; anything else is an error.
func ParseUserRole(text string) (UserRole, error) {
	if at := slices.Index(roleWords(), text); at > 0 {
		return UserRole(at), nil
	}
	return NoRole, fmt.Errorf("role %q is none of viewer, technician, billing and admin", text)
}

// String is the text form; "" for no role.
func (r UserRole) String() string {
	if r < NoRole || r > RoleAdmin {
		return ""
	}
	return roleWords()[r]
}

// MarshalText is the text form; for JSON.
func (r UserRole) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *UserRole) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*r = NoRole
		return nil
	}
	*r, err = ParseUserRole(string(text))
	return err
}

// At says whether the role may do what least may.
func (r UserRole) At(least UserRole) bool { return least > NoRole && r >= least && r <= RoleAdmin }

// User is a person, without what proves them.
type User struct {
	ID                 UserID
	Email              string // lower case; unique
	Name               string
	HasPassword        bool // false: signs in with a provider only
	MustChangePassword bool
	SecondFactor       bool // enrolled
	Created            time.Time
	Seen               time.Time // zero: never signed in
}

// Membership is a user in a workspace.
type Membership struct {
	User          User
	Workspace     WorkspaceID
	WorkspaceName string
	Role          UserRole
	Member        string // the Manage member that an admin linked; "" for none
	Disabled      bool   // may not work here
	Last          bool   // where the user worked last
	Since         time.Time
	Version       int64 // goes up with every change
}

// Session is a browser that somebody signed in with.
type Session struct {
	ID        SessionID
	User      UserID
	Workspace WorkspaceID // 0: none
	// SecondFactor is still to be given; until then the session is nobody's.
	AwaitsSecondFactor bool
	Provider           ProviderID // signed in with it; 0: with a password
	Address            string
	Device             string // what the browser calls itself, cut to 200 bytes
	Created            time.Time
	Seen               time.Time // to the minute
	Ends               time.Time // at the latest; without use earlier
}

// Invitation is a role in a workspace that waits for whoever has the link.
type Invitation struct {
	ID        InvitationID
	Workspace WorkspaceID
	Email     string
	Role      UserRole
	By        string // name of the user
	Created   time.Time
	Ends      time.Time
}

// APIToken is what a program signs in with, without its secret.
type APIToken struct {
	ID        TokenID
	Workspace WorkspaceID
	Name      string
	Hint      string   // its last four characters
	Role      UserRole // never more than that of the user who made it
	By        UserID
	ByName    string
	Created   time.Time
	Ends      time.Time
	Used      time.Time // to the minute; zero: never
}

// Provider is the OpenID provider that a workspace's users may sign in with, without its
// client secret.
type Provider struct {
	ID        ProviderID
	Workspace WorkspaceID
	Name      string // on the button: "Microsoft"
	Issuer    string // exactly as the provider names itself
	ClientID  string
	HasSecret bool
	Domains   []string // of the e-mail addresses it speaks of; lower case
	Version   int64
}

// SignInPolicy is how people sign in to a workspace.
type SignInPolicy struct {
	MFARequired     bool     // of who signs in with a password
	SessionHours    int      // after which they sign in again, whatever they do
	AllowedNetworks []string // addresses or networks; empty: from everywhere
	Version         int64    // 0: nobody changed it yet
}

// DefaultSignInPolicy is that of a workspace that set none.
func DefaultSignInPolicy() SignInPolicy { return SignInPolicy{MFARequired: true, SessionHours: 12} }
