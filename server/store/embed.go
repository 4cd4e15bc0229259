package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// EmbedSession is a screen inside Manage that somebody looks at, with who that is and may
// do as it stands now.
type EmbedSession struct {
	ID          int64
	Workspace   billing.WorkspaceID
	Screen      string // agreement or company
	Record      int
	RecordName  string
	Company     billing.CompanyID
	CompanyName string
	Member      string         // for whom Manage vouched; "" for User who signed in instead
	User        billing.UserID // 0: the member is nobody's of the workspace
	Name        string
	Email       string // of the user
	Checked     bool
	Began, Ends time.Time
	// Role is none where the user is disabled, or isn't in the workspace any more, and for
	// a member that nobody is, as the workspace sets it.
	Role     billing.UserRole
	Networks []string // from where the workspace can be used; none: from anywhere
}

const (
	sqlKeepNonce query = `INSERT INTO embed_nonce (nonce_hash, workspace_id, fallback, ends_at) VALUES ($1, $2, $3, $4)`

	sqlForgetNonces query = `DELETE FROM embed_nonce WHERE ends_at <= $1`

	sqlHasNonce query = `SELECT EXISTS (SELECT FROM embed_nonce WHERE nonce_hash = $1 AND workspace_id = $2 AND fallback AND ends_at > $3)`

	sqlTakeNonce query = `DELETE FROM embed_nonce WHERE nonce_hash = $1 AND workspace_id = $2 AND fallback = $3 AND ends_at > $4`

	sqlKeepEmbedCode query = `INSERT INTO embed_code (code_hash, nonce_hash, workspace_id, user_id, ends_at) VALUES ($1, $2, $3, $4, $5)`

	sqlForgetEmbedCodes query = `DELETE FROM embed_code WHERE ends_at <= $1`

	sqlTakeEmbedCode query = `DELETE FROM embed_code WHERE code_hash = $1 AND nonce_hash = $2 AND workspace_id = $3 AND ends_at > $4 RETURNING user_id`

	sqlKeepEmbedSession query = `INSERT INTO embed_session (token_hash, workspace_id, screen, record_id, record_name, company_id, company_name,
			member, member_name, user_id, checked, created_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

	sqlForgetEmbedSessions query = `DELETE FROM embed_session WHERE ends_at <= $1`

	sqlEndEmbedSession query = `DELETE FROM embed_session WHERE workspace_id = $1 AND id = $2`

	// sqlEmbedSession reads who it is as it is now. A session of the fallback ends when the
	// workspace forbids that. A member whose user is disabled is not one that nobody is.
	sqlEmbedSession query = `SELECT s.id, s.workspace_id, s.screen, s.record_id, s.record_name, s.company_id, s.company_name, s.member,
			s.member_name, s.checked, s.created_at, s.ends_at, coalesce(u.id, 0) AS user_id, coalesce(u.name, '') AS user_name,
			coalesce(u.email, '') AS email,
			CASE WHEN m.user_id IS NOT NULL THEN CASE WHEN m.disabled THEN '' ELSE m.role END
				WHEN s.checked AND w.unknown_member = 'viewer' THEN 'viewer' ELSE '' END AS role,
			p.allowed_networks
		FROM embed_session s
		JOIN workspace w ON w.id = s.workspace_id
		LEFT JOIN membership m ON m.workspace_id = s.workspace_id
			AND (m.user_id = s.user_id OR s.user_id IS NULL AND m.manage_member <> '' AND lower(m.manage_member) = lower(s.member))
		LEFT JOIN user_account u ON u.id = m.user_id
		LEFT JOIN sign_in_policy p ON p.workspace_id = s.workspace_id
		WHERE s.token_hash = $1 AND s.ends_at > $2 AND (s.checked OR w.embed_fallback)`

	sqlEmbedAdministrators query = `SELECT coalesce(nullif(u.name, ''), u.email) FROM membership m JOIN user_account u ON u.id = m.user_id
		WHERE m.workspace_id = $1 AND m.role = 'admin' AND NOT m.disabled ORDER BY 1 LIMIT 10`

	sqlCustomerAt query = `SELECT id FROM customer WHERE workspace_id = $1 AND company_id = $2 AND removed_at IS NULL`

	// sqlReachedLinks are the links of some that are of the company and, where an
	// agreement is given, on it or on none.
	sqlReachedLinks query = `SELECT count(*) FROM link l JOIN customer u ON u.workspace_id = l.workspace_id AND u.id = l.customer_id
		WHERE l.workspace_id = $1 AND u.company_id = $2 AND ($3::int = 0 OR l.agreement_id IN (0, $3)) AND l.key = ANY ($4)`

	// sqlReachedLicense: where an agreement is given, no link of the license, or of a part
	// of it, stands on another.
	sqlReachedLicense query = `SELECT EXISTS (SELECT FROM customer_tenant t
			JOIN customer u ON u.workspace_id = t.workspace_id AND u.id = t.customer_id AND u.removed_at IS NULL
			WHERE t.workspace_id = $1 AND u.company_id = $2 AND t.tenant = $4)
		AND ($3::int = 0 OR NOT EXISTS (SELECT FROM link l
			WHERE l.workspace_id = $1 AND l.tenant = $4 AND l.sku = $5 AND ($6 = '' OR l.subscription IN ('', $6)) AND NOT l.removed
				AND l.agreement_id NOT IN (0, $3)))`

	sqlReachedRun query = `SELECT EXISTS (SELECT FROM run r JOIN customer u ON u.workspace_id = r.workspace_id AND u.id = r.customer_id
		WHERE r.workspace_id = $1 AND u.company_id = $2 AND r.id = $4
			AND ($3::int = 0 OR EXISTS (SELECT FROM run_change x WHERE x.run_id = r.id AND x.agreement_id = $3)))`
)

func embedSQL() []query {
	return []query{
		sqlKeepNonce, sqlForgetNonces, sqlHasNonce, sqlTakeNonce, sqlKeepEmbedCode, sqlForgetEmbedCodes, sqlTakeEmbedCode, sqlKeepEmbedSession, sqlForgetEmbedSessions,
		sqlEndEmbedSession, sqlEmbedSession, sqlEmbedAdministrators, sqlCustomerAt, sqlReachedLinks, sqlReachedLicense, sqlReachedRun,
	}
}

// KeepNonce keeps the hash of a nonce until ends, and forgets those that are over.
func (s *Scope) KeepNonce(ctx context.Context, hash []byte, fallback bool, now, ends time.Time) error {
	_, err := s.exec(ctx, sqlForgetNonces, now)
	if err == nil {
		_, err = s.exec(ctx, sqlKeepNonce, hash, s.id, fallback, ends)
	}
	if err != nil {
		return fmt.Errorf("keep a nonce: %w", err)
	}
	return nil
}

// HasNonce says whether a nonce for the fallback stands.
func (s *Scope) HasNonce(ctx context.Context, hash []byte, at time.Time) (bool, error) {
	var has bool
	if err := s.get(ctx, &has, sqlHasNonce, hash, s.id, at); err != nil {
		return false, fmt.Errorf("look for a nonce: %w", err)
	}
	return has, nil
}

// TakeNonce takes a nonce of the workspace, once, and says whether it stood.
func (s *Scope) TakeNonce(ctx context.Context, hash []byte, fallback bool, at time.Time) (bool, error) {
	n, err := s.exec(ctx, sqlTakeNonce, hash, s.id, fallback, at)
	if err != nil {
		return false, fmt.Errorf("take a nonce: %w", err)
	}
	return n == 1, nil
}

// KeepEmbedCode keeps the hash of a one-time code of a user, good with one nonce, and
// forgets those that are over.
func (s *Scope) KeepEmbedCode(ctx context.Context, hash, nonce []byte, user billing.UserID, now, ends time.Time) error {
	_, err := s.exec(ctx, sqlForgetEmbedCodes, now)
	if err == nil {
		_, err = s.exec(ctx, sqlKeepEmbedCode, hash, nonce, s.id, user, ends)
	}
	if err != nil {
		return fmt.Errorf("keep a one-time code: %w", err)
	}
	return nil
}

// TakeEmbedCode takes a code, once, and says whose it is; ErrNotFound.
func (s *Scope) TakeEmbedCode(ctx context.Context, hash, nonce []byte, at time.Time) (billing.UserID, error) {
	var user billing.UserID
	if err := s.get(ctx, &user, sqlTakeEmbedCode, hash, nonce, s.id, at); err != nil {
		return 0, fmt.Errorf("take a one-time code: %w", err)
	}
	return user, nil
}

// KeepEmbedSession keeps a session by the hash of its token, and forgets those that are
// over. Member and User are the one or the other.
func (s *Scope) KeepEmbedSession(ctx context.Context, hash []byte, e EmbedSession) error {
	_, err := s.exec(ctx, sqlForgetEmbedSessions, e.Began)
	if err == nil {
		_, err = s.exec(ctx, sqlKeepEmbedSession, hash, s.id, e.Screen, e.Record, plain(e.RecordName), e.Company, plain(e.CompanyName),
			plain(e.Member), plain(e.Name), maybeID(e.User), e.Checked, e.Began, e.Ends)
	}
	if err != nil {
		return fmt.Errorf("keep a session of a screen: %w", err)
	}
	return nil
}

// EndEmbedSession ends a session, if it is there.
func (s *Scope) EndEmbedSession(ctx context.Context, id int64) error {
	if _, err := s.exec(ctx, sqlEndEmbedSession, s.id, id); err != nil {
		return fmt.Errorf("end a session of a screen: %w", err)
	}
	return nil
}

// EmbedSession finds a session that hasn't ended by the hash of its token; ErrNotFound.
func (s *Store) EmbedSession(ctx context.Context, hash []byte, at time.Time) (EmbedSession, error) {
	var r struct {
		ID          int64          `db:"id"`
		Workspace   int64          `db:"workspace_id"`
		Screen      string         `db:"screen"`
		Record      int            `db:"record_id"`
		RecordName  string         `db:"record_name"`
		Company     int            `db:"company_id"`
		CompanyName string         `db:"company_name"`
		Member      string         `db:"member"`
		MemberName  string         `db:"member_name"`
		Checked     bool           `db:"checked"`
		Began       time.Time      `db:"created_at"`
		Ends        time.Time      `db:"ends_at"`
		User        int64          `db:"user_id"`
		UserName    string         `db:"user_name"`
		Email       string         `db:"email"`
		Role        string         `db:"role"`
		Networks    pq.StringArray `db:"allowed_networks"`
	}
	if err := (session{store: s}).get(ctx, &r, sqlEmbedSession, hash, at); err != nil {
		return EmbedSession{}, fmt.Errorf("read a session of a screen: %w", err)
	}
	e := EmbedSession{
		ID: r.ID, Workspace: billing.WorkspaceID(r.Workspace), Screen: r.Screen, Record: r.Record, RecordName: r.RecordName,
		Company: billing.CompanyID(r.Company), CompanyName: r.CompanyName, Member: r.Member, User: billing.UserID(r.User), Name: r.UserName,
		Email: r.Email, Checked: r.Checked, Began: r.Began.UTC(), Ends: r.Ends.UTC(), Networks: r.Networks,
	}
	if e.Name == "" {
		e.Name = r.MemberName
	}
	if r.Role == "" {
		return e, nil
	}
	var err error
	if e.Role, err = billing.ParseUserRole(r.Role); err != nil {
		return e, fmt.Errorf("read the role of a session of a screen: %w", err)
	}
	return e, nil
}

// Administrators are the names of some who can give access, by name.
func (s *Scope) Administrators(ctx context.Context) ([]string, error) {
	var names []string
	if err := s.all(ctx, &names, sqlEmbedAdministrators, s.id); err != nil {
		return nil, fmt.Errorf("list who administers: %w", err)
	}
	return names, nil
}

// CustomerAt is the customer that a company of Manage is; ErrNotFound.
func (s *Scope) CustomerAt(ctx context.Context, company billing.CompanyID) (billing.CustomerID, error) {
	var id billing.CustomerID
	if err := s.get(ctx, &id, sqlCustomerAt, s.id, company); err != nil {
		return 0, fmt.Errorf("find the customer of company %d: %w", company, err)
	}
	return id, nil
}

// Reach is what a record of Manage reaches: of an agreement what is linked to it or to
// nothing, of a company (Agreement 0) all of it.
type Reach struct {
	Company   billing.CompanyID
	Agreement billing.AgreementID
}

// ReachesLinks says whether all of the links are within the reach; ErrNotFound when one
// isn't, or isn't there.
func (s *Scope) ReachesLinks(ctx context.Context, r Reach, keys []billing.LinkKey) error {
	of := map[billing.LinkKey]bool{}
	for _, k := range keys {
		of[k] = true
	}
	var n int
	err := s.get(ctx, &n, sqlReachedLinks, s.id, r.Company, r.Agreement, pq.Array(keys))
	return reached("links", n == len(of), err)
}

// ReachesLicense says whether a license is within the reach; ErrNotFound when it isn't.
func (s *Scope) ReachesLicense(ctx context.Context, r Reach, ref billing.LicenseRef) error {
	var is bool
	err := s.get(ctx, &is, sqlReachedLicense, s.id, r.Company, r.Agreement, ref.Tenant, ref.SKU, ref.Subscription)
	return reached("a license", is, err)
}

// ReachesRun says whether a run is within the reach: on an agreement, one with a change on
// it; ErrNotFound when it isn't.
func (s *Scope) ReachesRun(ctx context.Context, r Reach, id billing.RunID) error {
	key, err := runKey(id)
	if err != nil {
		return err
	}
	var is bool
	err = s.get(ctx, &is, sqlReachedRun, s.id, r.Company, r.Agreement, key)
	return reached("a run", is, err)
}

func reached(what string, is bool, err error) error {
	if err == nil && !is {
		err = ErrNotFound
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("look whether %s can be reached: %w", what, err)
	}
	return err
}
