package account_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jmoiron/sqlx"
	"github.com/pquerna/otp/totp"

	"trueup/server/account"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const (
	goodPassword  = "plinth-Osprey-47-lantern"
	otherPassword = "marmot ladder quince 9 violin"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// mailbox keeps what would be mailed; broken, it refuses.
type mailbox struct {
	mu          sync.Mutex
	broken      error
	invitations []account.InvitationMail
	resets      []account.ResetMail
}

func (m *mailbox) Invitation(_ context.Context, mail account.InvitationMail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.invitations = append(m.invitations, mail)
	return m.broken
}

func (m *mailbox) Reset(_ context.Context, mail account.ResetMail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resets = append(m.resets, mail)
	return m.broken
}

// house is the accounts over a database of their own.
type house struct {
	*account.Accounts

	tb     testing.TB
	store  *store.Store
	db     *sqlx.DB // for looking at what is kept
	clock  *clock
	mail   *mailbox
	log    *bytes.Buffer
	config account.Config
	seeds  map[string]string // authenticators by address
	from   account.Client
}

func build(tb testing.TB, change ...func(*account.Config)) *house {
	tb.Helper()
	url := storetest.URL(tb)
	db, err := sqlx.Open("postgres", url)
	must(tb, err)
	tb.Cleanup(func() { must(tb, db.Close()) })
	h := &house{
		tb: tb, store: storetest.Open(tb, url), db: db, clock: &clock{at: time.Now().UTC().Truncate(time.Second)}, mail: &mailbox{},
		log: &bytes.Buffer{}, seeds: map[string]string{},
		from: account.Client{Address: "192.0.2.7", Device: "Firefox on Windows", Request: "req12345"},
	}
	h.config = account.Config{
		Rows: h.store, In: func(w billing.WorkspaceID) account.Workspace { return h.store.In(w) }, Mailer: h.mail,
		PublicURL: "https://trueup.example/", Now: h.clock.now, Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Hashing: argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}, Hashers: 4,
	}
	for _, f := range change {
		f(&h.config)
	}
	h.Accounts = h.process()
	return h
}

// process is the accounts as one more process sees them.
func (h *house) process() *account.Accounts {
	h.tb.Helper()
	a, err := account.New(h.config)
	must(h.tb, err)
	h.tb.Cleanup(a.Close)
	return a
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// refused wants an error of a code, and one that a person can act upon.
func refused(tb testing.TB, err error, code string) *account.Error {
	tb.Helper()
	e, ok := errors.AsType[*account.Error](err)
	if !ok || e.Code != code {
		tb.Fatalf("want %s, got %v", code, err)
	}
	if e.Class == 0 || !strings.HasSuffix(e.Sentence, ".") || !strings.HasSuffix(e.Action, ".") {
		tb.Errorf("%s says too little: %+v", code, e)
	}
	return e
}

func secretOf(tb testing.TB, link string) string {
	tb.Helper()
	_, secret, ok := strings.Cut(link, "#")
	if !ok || len(secret) < 40 {
		tb.Fatalf("the link %q holds no secret behind the #", link)
	}
	return secret
}

// workspace makes a workspace.
func (h *house) workspace(name string) billing.WorkspaceID {
	h.tb.Helper()
	var id billing.WorkspaceID
	must(h.tb, h.store.InTx(h.tb.Context(), func(tx *store.Tx) (err error) {
		id, err = tx.CreateWorkspace(h.tb.Context(), billing.Workspace{Name: name, Zone: "UTC"})
		return err
	}))
	return id
}

// first makes the first admin of a new workspace, with an authenticator, and returns the
// session's token.
func (h *house) first() (string, account.Principal) {
	h.tb.Helper()
	link, made, err := h.FirstLink(h.tb.Context())
	must(h.tb, err)
	if !made {
		h.tb.Fatal("no link for the first administrator")
	}
	st, err := h.MakeFirstAdmin(h.tb.Context(), "", secretOf(h.tb, link), account.First{
		Email: "ines@msp.example", Name: "Ines Ferreira", Password: goodPassword, Workspace: "Contoso MSP", Zone: "Europe/Lisbon",
	}, h.from)
	must(h.tb, err)
	return h.enrolled(st.Issued.Token)
}

// enrolled sets up an authenticator in a session, and returns its new token.
func (h *house) enrolled(token string) (string, account.Principal) {
	h.tb.Helper()
	ctx := h.tb.Context()
	e, err := h.EnrolTOTP(ctx, token, h.from)
	must(h.tb, err)
	_, issued, err := h.ConfirmTOTP(ctx, token, h.codeOf(e.Key), h.from)
	must(h.tb, err)
	p, err := h.Authenticate(ctx, account.Credentials{Cookie: issued.Token}, h.from)
	must(h.tb, err)
	h.seeds[p.Email] = e.Key
	return issued.Token, p
}

// codeOf is the code of the next half minute, so that each is a new one.
func (h *house) codeOf(seed string) string {
	h.tb.Helper()
	h.clock.pass(30 * time.Second)
	code, err := totp.GenerateCode(seed, h.clock.now())
	must(h.tb, err)
	return code
}

// join makes a user of a workspace with an authenticator who is signed in.
func (h *house) join(p account.Principal, email string, role account.Role) (string, account.Principal) {
	h.tb.Helper()
	ctx := h.tb.Context()
	_, _, err := h.Invite(ctx, p, email, role, h.from)
	must(h.tb, err)
	mail := h.mail.invitations[len(h.mail.invitations)-1]
	st, err := h.AcceptInvitation(ctx, "", secretOf(h.tb, mail.Link), strings.Split(email, "@")[0], otherPassword, h.from)
	must(h.tb, err)
	return h.enrolled(st.Issued.Token)
}

// signIn signs in with password and code.
func (h *house) signIn(email, password string) (string, account.Principal) {
	h.tb.Helper()
	ctx := h.tb.Context()
	st, err := h.SignIn(ctx, "", email, password, h.from)
	must(h.tb, err)
	if st.Step == account.StepCode {
		st, err = h.SecondFactor(ctx, st.Issued.Token, h.codeOf(h.seeds[email]), h.from)
		must(h.tb, err)
	}
	return st.Issued.Token, st.Principal
}

// who is whom a session's token stands for, or the error.
func (h *house) who(token string) (account.Principal, error) {
	return h.Authenticate(h.tb.Context(), account.Credentials{Cookie: token}, h.from)
}

// audit is the actions of a workspace's audit, oldest first.
func (h *house) audit(w billing.WorkspaceID) []string {
	h.tb.Helper()
	h.Close()
	all, _, err := h.store.In(w).AuditEntries(h.tb.Context(), store.AuditFilter{Limit: 500})
	must(h.tb, err)
	actions := make([]string, len(all))
	for i, e := range all {
		actions[len(all)-1-i] = e.Action
	}
	return actions
}
