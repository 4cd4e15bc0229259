package account

import (
	"context"
	"time"

	"trueup/server/billing"
)

// Rows is what is kept of people. Where a method takes an entry, the change and the entry
// are kept together or not at all; an entry about a user goes to each of their workspaces,
// which NoteUser says. Errors are billing.ErrNotFound and its neighbours.
type Rows interface {
	Users
	Factors
	SessionRows
	Links
	Providers
	Delays
	// NoteUser adds an entry about a user to the audit of each of their workspaces.
	NoteUser(ctx context.Context, user UserID, e billing.AuditEntry) error
	// TokenByHash finds an API token that has not ended, with who made it.
	TokenByHash(ctx context.Context, hash []byte, at time.Time) (billing.APIToken, error)
	// UsedToken notes the last use of a token.
	UsedToken(ctx context.Context, id TokenID, at time.Time) error
}

// Users are the people and their passwords. A hash is argon2id, "" for no password.
type Users interface {
	UserByEmail(ctx context.Context, email string) (billing.User, string, error)
	UserByID(ctx context.Context, id UserID) (billing.User, string, error)
	// AnyUser says whether there is any.
	AnyUser(ctx context.Context) (bool, error)
	// Memberships are the workspaces of a user, by name; those where it is disabled too.
	Memberships(ctx context.Context, user UserID) ([]billing.Membership, error)
	// Standing is a user as a workspace sees it, and how people sign in there. A user
	// who isn't in it, or is disabled there, has no Workspace and no Role.
	Standing(ctx context.Context, user UserID, w billing.WorkspaceID) (billing.Membership, billing.SignInPolicy, error)
	// SetPassword sets a hash, ends every session but one (0: all) and takes reset links
	// away.
	SetPassword(ctx context.Context, user UserID, hash string, mustChange bool, keep SessionID, e billing.AuditEntry) error
	// Rehash changes the hash of an unchanged password, when the costs of hashing rose.
	Rehash(ctx context.Context, user UserID, was, hash string) error
	Rename(ctx context.Context, user UserID, name string) error
	// SignedIn notes when and where a user signed in last.
	SignedIn(ctx context.Context, user UserID, w billing.WorkspaceID, at time.Time, e billing.AuditEntry) error
	// AddUser makes a user who signs in with a temporary password, or changes the role of
	// one that is there, whose password stays; made says which.
	AddUser(ctx context.Context, w billing.WorkspaceID, u billing.User, hash string, role Role, e billing.AuditEntry) (id UserID, made bool, err error)
}

// Factors are the authenticators. A secret leaves by TOTP only.
type Factors interface {
	// TOTP is the secret in force; ErrNotFound without one.
	TOTP(ctx context.Context, user UserID) (secret string, err error)
	// PendingTOTP is the secret that waits for its first code.
	PendingTOTP(ctx context.Context, user UserID) (secret string, err error)
	BeginTOTP(ctx context.Context, user UserID, secret string) error
	// EnrolTOTP puts a secret in force, with the step of the code that confirmed it and
	// the hashes of new recovery codes, and ends all other sessions.
	EnrolTOTP(ctx context.Context, user UserID, secret string, step int64, codes [][]byte, keep SessionID, e billing.AuditEntry) error
	// UseStep takes a time step if no later or equal one was taken: says whether.
	UseStep(ctx context.Context, user UserID, step int64) (bool, error)
	// UseRecoveryCode takes a code that wasn't used: says whether.
	UseRecoveryCode(ctx context.Context, user UserID, hash []byte, e billing.AuditEntry) (bool, error)
	RecoveryCodesLeft(ctx context.Context, user UserID) (int, error)
	SaveRecoveryCodes(ctx context.Context, user UserID, codes [][]byte, e billing.AuditEntry) error
	// RemoveFactors takes the authenticator and the recovery codes away and ends all
	// sessions.
	RemoveFactors(ctx context.Context, user UserID, e billing.AuditEntry) error
}

// SessionRows are the sessions, by the hash of their token.
type SessionRows interface {
	SessionByHash(ctx context.Context, hash string) (billing.Session, error)
	// SaveSession makes a session (ID 0) or changes one that is still there: a session
	// that was ended meanwhile does not come back, that is ErrNotFound.
	SaveSession(ctx context.Context, hash string, s billing.Session) (SessionID, error)
	DeleteSession(ctx context.Context, hash string) error
	// Sessions are a user's, newest first; of one workspace or of all (0).
	Sessions(ctx context.Context, user UserID, w billing.WorkspaceID) ([]billing.Session, error)
	// EndSession ends one of a user's sessions.
	EndSession(ctx context.Context, user UserID, id SessionID, e billing.AuditEntry) error
	// EndSessions ends a user's sessions, of one workspace or of all (0).
	EndSessions(ctx context.Context, user UserID, w billing.WorkspaceID, e billing.AuditEntry) error
}

// Links are the one-time links that belong to no workspace, by the hash of their secret.
type Links interface {
	SaveReset(ctx context.Context, user UserID, hash []byte, ends time.Time, e billing.AuditEntry) error
	// Reset is whose password a link resets.
	Reset(ctx context.Context, hash []byte, at time.Time) (UserID, error)
	// UseReset takes the link and sets the password, and ends all sessions.
	UseReset(ctx context.Context, hash []byte, at time.Time, password string, e billing.AuditEntry) error
	// SaveFirstLink keeps the link of the first admin in the place of an older one; with
	// any user there it is ErrConflict.
	SaveFirstLink(ctx context.Context, hash []byte, ends time.Time) error
	FirstLink(ctx context.Context, hash []byte, at time.Time) error
	// UseFirstLink takes the link and makes the first user admin of all workspaces; where
	// there is none, of the one that is given.
	UseFirstLink(ctx context.Context, hash []byte, at time.Time, u billing.User, password string, w billing.Workspace, e billing.AuditEntry) (UserID, error)
	// InvitationByHash is an invitation that has not ended, and its workspace's name.
	InvitationByHash(ctx context.Context, hash []byte, at time.Time) (billing.Invitation, string, error)
	// AcceptInvitation takes it and makes the membership; a user without ID is made first.
	AcceptInvitation(ctx context.Context, i billing.Invitation, u billing.User, password string, e billing.AuditEntry) (UserID, error)
}

// Providers are the OpenID providers and whom they mean.
type Providers interface {
	// ProvidersFor are those that speak of an address, those of the workspaces that it
	// belongs to or is invited to first.
	ProvidersFor(ctx context.Context, email string) ([]billing.Provider, error)
	// ProviderWithSecret opens the client secret, "" for none.
	ProviderWithSecret(ctx context.Context, id billing.ProviderID) (billing.Provider, string, error)
	SaveFlow(ctx context.Context, state, browser []byte, p billing.ProviderID, returnTo string, ends time.Time) error
	// TakeFlow takes a sign-in that the same browser began.
	TakeFlow(ctx context.Context, state, browser []byte, at time.Time) (billing.ProviderID, string, error)
	// Identity is the user that a provider's subject was bound to.
	Identity(ctx context.Context, p billing.ProviderID, issuer, subject string) (UserID, error)
	// BindIdentity binds it; a user that another subject is bound to is ErrConflict.
	BindIdentity(ctx context.Context, p billing.ProviderID, issuer, subject string, user UserID) error
	// InvitationFor is the open invitation of an address in a workspace.
	InvitationFor(ctx context.Context, w billing.WorkspaceID, email string, at time.Time) (billing.Invitation, error)
}

// Delays say how often somebody failed, in all processes together.
type Delays interface {
	// Attempt counts one attempt of a subject and says how long it has to wait; with a
	// wait it is refused and not counted. After free attempts each makes the next wait,
	// first at first, doubled up to most; they are forgotten after forget.
	Attempt(ctx context.Context, subject []byte, at time.Time, free int, first, most, forget time.Duration) (time.Duration, error)
	// Undo takes an attempt back.
	Undo(ctx context.Context, subject []byte, at time.Time) error
	// Clear forgets a subject.
	Clear(ctx context.Context, subject []byte) error
	// LockedUntil is, for each subject, until when it has to wait; zero: it need not.
	LockedUntil(ctx context.Context, subjects [][]byte, at time.Time) ([]time.Time, error)
}

// Workspace is what is kept of the people of one workspace; Config.In gives it.
type Workspace interface {
	Members
	Invitations
	Tokens
	Provider(ctx context.Context) (billing.Provider, error)
	// SaveProvider makes or changes the provider; a nil secret leaves it as it is. A
	// changed issuer or client forgets whom it meant.
	SaveProvider(ctx context.Context, p billing.Provider, secret *string, e billing.AuditEntry) error
	RemoveProvider(ctx context.Context, e billing.AuditEntry) error
	SignInPolicy(ctx context.Context) (billing.SignInPolicy, error)
	// SaveSignInPolicy changes it when it is still at its version, else ErrStale.
	SaveSignInPolicy(ctx context.Context, p billing.SignInPolicy, e billing.AuditEntry) error
}

// Members are the users of a workspace.
type Members interface {
	Members(ctx context.Context) ([]billing.Membership, error)
	Member(ctx context.Context, user UserID) (billing.Membership, error)
	// ChangeMember sets role, member and disabled when the membership is still at its
	// version, else ErrStale. The last admin is ErrLastAdmin; a member that another user
	// is, ErrConflict.
	ChangeMember(ctx context.Context, m billing.Membership, e billing.AuditEntry) error
	// RemoveMember ends the membership, its sessions here and its API tokens.
	RemoveMember(ctx context.Context, user UserID, e billing.AuditEntry) error
}

// Invitations are those of a workspace that are open.
type Invitations interface {
	Invitations(ctx context.Context, at time.Time) ([]billing.Invitation, error)
	Invitation(ctx context.Context, id billing.InvitationID) (billing.Invitation, error)
	// SaveInvitation makes an invitation, in the place of an older one to the address.
	SaveInvitation(ctx context.Context, i billing.Invitation, hash []byte, e billing.AuditEntry) (billing.InvitationID, error)
	RemoveInvitation(ctx context.Context, id billing.InvitationID, e billing.AuditEntry) error
}

// Tokens are the API tokens of a workspace.
type Tokens interface {
	Tokens(ctx context.Context) ([]billing.APIToken, error)
	Token(ctx context.Context, id TokenID) (billing.APIToken, error)
	// SaveToken makes one; a taken name is ErrConflict.
	SaveToken(ctx context.Context, t billing.APIToken, hash []byte, e billing.AuditEntry) (TokenID, error)
	RemoveToken(ctx context.Context, id TokenID, e billing.AuditEntry) error
}

// Mailer sends the mails that let people in. A nil Mailer: links are shown to the admin
// once, and nobody can ask for a reset by themselves.
type Mailer interface {
	Invitation(ctx context.Context, m InvitationMail) error
	Reset(ctx context.Context, m ResetMail) error
}

// InvitationMail is what an invitation says.
type InvitationMail struct {
	To, Workspace, By, Link string
	Role                    Role
	Ends                    time.Time
}

// ResetMail is what a mail says that lets a person set a new password.
type ResetMail struct {
	To, Name, Link string
	Ends           time.Time
}
