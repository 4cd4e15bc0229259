package notify

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/sim/mailsim"
)

const public = "https://trueup.example"

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// day is the tests' usual day, and its noon.
var noon = time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // shared, never changed

func start(t *testing.T, c mailsim.Config) *mailsim.Server {
	t.Helper()
	s, err := mailsim.Start(c)
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

func mailerOf(t *testing.T, s *mailsim.Server, scheme, user, query string) *Mailer {
	t.Helper()
	m, err := NewMailer(MailerConfig{
		SMTP: scheme + "://" + user + s.Addr() + query, Public: public, TLS: s.ClientTLS(), Now: func() time.Time { return noon },
	})
	must(t, err)
	return m
}

// read takes a mail apart: its header, and its parts as text and as HTML.
func read(t *testing.T, data string) (h mail.Header, text, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	must(t, err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	must(t, err)
	if kind != "multipart/alternative" {
		t.Fatalf("the mail is %s", kind)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	var out []string
	for _, want := range []string{"text/plain", "text/html"} {
		p, err := parts.NextRawPart()
		must(t, err)
		if kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type")); err != nil || kind != want {
			t.Fatalf("a part is %s, %v, want %s", kind, err, want)
		}
		if p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("a part is encoded as %s", p.Header.Get("Content-Transfer-Encoding"))
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		must(t, err)
		out = append(out, strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
	if _, err := parts.NextRawPart(); !errors.Is(err, io.EOF) {
		t.Fatalf("there is another part: %v", err)
	}
	return m.Header, out[0], out[1]
}

func TestMailerSends(t *testing.T) {
	t.Parallel()
	asks := mailsim.Config{User: "trueup@mail.example", Password: "hush/hush"}
	const user = "trueup%40mail.example:hush%2Fhush@"
	for name, c := range map[string]struct {
		server       mailsim.Config
		scheme, user string
		query        string
		tls          bool
		from         string
	}{
		"STARTTLS":               {mailsim.Config{}, "smtp", "", "", true, "trueup@trueup.example"},
		"STARTTLS and a user":    {asks, "smtp", user, "", true, "trueup@mail.example"},
		"TLS at once":            {mailsim.Config{Implicit: true}, "smtps", "", "?from=billing@msp.example", true, "billing@msp.example"},
		"TLS at once and a user": {mailsim.Config{Implicit: true, User: asks.User, Password: asks.Password}, "smtps", user, "", true, "trueup@mail.example"},
		"in clear":               {mailsim.Config{NoTLS: true}, "smtp", "", "?starttls=no", false, "trueup@trueup.example"},
		"in clear and a user":    {mailsim.Config{NoTLS: true, User: asks.User, Password: asks.Password}, "smtp", user, "?starttls=no", false, "trueup@mail.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, c.server)
			must(t, mailerOf(t, s, c.scheme, c.user, c.query).Test(t.Context(), billing.Addressee{Name: "Sam", Email: "sam@msp.example"}, "Northgate"))
			mails := s.Mails()
			if len(mails) != 1 || mails[0].TLS != c.tls || mails[0].User != c.server.User || mails[0].From != c.from || len(mails[0].To) != 1 || mails[0].To[0] != "sam@msp.example" {
				t.Fatalf("taken: %+v", mails)
			}
			h, text, html := read(t, mails[0].Data)
			for name, want := range map[string]string{
				"Subject": "Northgate: a test", "To": "<sam@msp.example>", "From": `"Trueup" <` + c.from + ">", "Auto-Submitted": "auto-generated",
				"List-Unsubscribe": "<https://trueup.example/notifications>", "Date": "Tue, 17 Mar 2026 12:00:00 +0000",
			} {
				if h.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, h.Get(name), want)
				}
			}
			for _, body := range []string{text, html} {
				if !strings.Contains(body, "This is a test.") || !strings.Contains(body, "https://trueup.example/notifications") {
					t.Errorf("it says %s", body)
				}
			}
		})
	}
}

func TestMailerTellsWhatFails(t *testing.T) {
	t.Parallel()
	refusing := func(answer string) func(*mailsim.Server) {
		return func(s *mailsim.Server) { s.Refuse("sam@msp.example", answer) }
	}
	for name, c := range map[string]struct {
		server  mailsim.Config
		scheme  string
		user    string
		prepare func(*mailsim.Server)
		class   Class
		text    string
	}{
		"refused for good": {mailsim.Config{}, "smtp", "", refusing("550 5.1.1 no such user here"), Refused, "no such user here"},
		"refused for now":  {mailsim.Config{}, "smtp", "", refusing("451 4.7.1 greylisted"), Refused, "greylisted"},
		"down":             {mailsim.Config{}, "smtp", "", func(s *mailsim.Server) { s.Down() }, Unreachable, "could not be reached"},
		"wrong password":   {mailsim.Config{User: "trueup", Password: "right"}, "smtp", "trueup:canary@", nil, Unreachable, "did not accept the user and password"},
		"no STARTTLS":      {mailsim.Config{NoTLS: true}, "smtp", "", nil, Unreachable, "does not offer STARTTLS"},
		"no TLS":           {mailsim.Config{NoTLS: true}, "smtps", "", nil, Unreachable, "did not answer as one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, c.server)
			m := mailerOf(t, s, c.scheme, c.user, "")
			if c.prepare != nil {
				c.prepare(s)
			}
			err := m.Test(t.Context(), billing.Addressee{Email: "sam@msp.example"}, "Northgate")
			var failed *SendError
			if !errors.As(err, &failed) || failed.Class != c.class || !strings.Contains(failed.Text, c.text) {
				t.Fatalf("it says %v (%+v)", err, failed)
			}
			if strings.Contains(err.Error(), "canary") || len(s.Mails()) != 0 {
				t.Errorf("%v, %d mails", err, len(s.Mails()))
			}
		})
	}
}

// A certificate that isn't trusted stops it before the password is said.
func TestMailerDistrusts(t *testing.T) {
	t.Parallel()
	s := start(t, mailsim.Config{User: "trueup", Password: "right"})
	m, err := NewMailer(MailerConfig{SMTP: "smtp://trueup:right@" + s.Addr(), Public: public})
	must(t, err)
	var failed *SendError
	if err := m.Test(t.Context(), billing.Addressee{Email: "sam@msp.example"}, "Northgate"); !errors.As(err, &failed) || !strings.Contains(failed.Text, "certificate") {
		t.Errorf("it says %v", err)
	}
}

// What a server says after it took the mail changes nothing, and a client that is stopped
// stops.
func TestMailerEnds(t *testing.T) {
	t.Parallel()
	s := start(t, mailsim.Config{})
	m := mailerOf(t, s, "smtp", "", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Test(ctx, billing.Addressee{Email: "sam@msp.example"}, "Northgate"); err == nil || len(s.Mails()) != 0 {
		t.Errorf("it was sent: %v", err)
	}
	s.LoseAnswers(1)
	if err := m.Test(t.Context(), billing.Addressee{Email: "sam@msp.example"}, "Northgate"); err == nil || len(s.Mails()) != 1 {
		t.Errorf("nobody said that it was taken: %v, %d mails", err, len(s.Mails()))
	}
}

// TestHeadersHoldOneLine: no field can begin a second one, whoever named what.
func TestHeadersHoldOneLine(t *testing.T) {
	t.Parallel()
	s := start(t, mailsim.Config{})
	m := mailerOf(t, s, "smtp", "", "")
	const evil = "North\r\nBcc: victim@elsewhere.example\r\n\r\nBody\u2028gate\x00\u202e"
	must(t, m.Test(t.Context(), billing.Addressee{Name: evil, Email: "sam@msp.example"}, evil))
	must(t, m.Invitation(t.Context(), Invitation{To: "sam@msp.example", Workspace: evil, By: evil, Link: public + "/invitation#secret", Role: billing.RoleBilling, Ends: noon}))
	for _, taken := range s.Mails() {
		h, text, html := read(t, taken.Data)
		if h.Get("Bcc") != "" || len(taken.To) != 1 || strings.ContainsAny(text+html, "\x00\u202e\u2028") {
			t.Errorf("it got through: %v\n%s", h, text)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
		if err != nil || !strings.Contains(subject, "North Bcc: victim@elsewhere.example Body gate") {
			t.Errorf("the subject is %q, %v", subject, err)
		}
	}
	for _, to := range []string{"sam@msp.example\r\nBcc: victim@elsewhere.example", "Sam <sam@msp.example>", "sam@msp.example, victim@elsewhere.example", "", "sam"} {
		if err := m.Send(t.Context(), Letter{To: to, Subject: "x", Text: "x", HTML: "x"}); err == nil {
			t.Errorf("%q is taken as an address", to)
		}
	}
	if n := len(s.Mails()); n != 2 {
		t.Errorf("%d mails", n)
	}
}

func TestNewMailerRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []MailerConfig{{SMTP: "smtp://mail.example"}, {Public: public}, {SMTP: "pop://mail.example", Public: public}} {
		if _, err := NewMailer(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
