package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// MailerConfig is what NewMailer needs.
type MailerConfig struct {
	// SMTP is the server: smtp://user:password@host:587, with STARTTLS, or
	// smtps://user:password@host:465. from=address gives the sender, else it is the user
	// where that is an address, or trueup@ the public host; starttls=no sends in clear.
	SMTP string
	// Public is where people reach Trueup, such as https://trueup.example.
	Public string
	// TLS is for tests; default: the system's.
	TLS *tls.Config
	Now func() time.Time // default time.Now
}

// Mailer sends mails. It is safe for concurrent use.
type Mailer struct {
	server  server
	public  string
	tls     *tls.Config
	now     func() time.Time
	letters *letters
}

// sendMost is how long sending a mail may take.
const sendMost = 30 * time.Second

// NewMailer reads the address of the server; it calls nobody.
func NewMailer(c MailerConfig) (*Mailer, error) {
	public, err := url.Parse(c.Public)
	if err != nil || public.Host == "" {
		return nil, errors.New("the public address is no http address")
	}
	s, err := parseServer(c.SMTP, public.Hostname())
	if err != nil {
		return nil, err
	}
	l, err := parseLetters()
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Mailer{s, strings.TrimSuffix(c.Public, "/"), c.TLS, c.Now, l}, nil
}

// CheckSMTP says what is wrong with the address of a mail server; it never quotes it.
func CheckSMTP(text string) error {
	_, err := parseServer(text, "localhost")
	return err
}

// server is a mail server and how to speak to it.
type server struct {
	host           string
	port           int
	implicit       bool // TLS from the first byte
	clear          bool // no TLS at all
	user, password string
	from           string
}

// parseServer reads an SMTP address. Its errors never quote it: it may hold a password.
func parseServer(text, publicHost string) (server, error) {
	u, err := url.Parse(text)
	if err != nil {
		return server{}, errors.New("it can't be read; write smtp://user:password@host:587, with %40 for an @ in the user")
	}
	s := server{host: u.Hostname(), implicit: u.Scheme == "smtps", port: 587}
	switch {
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return s, errors.New("it must begin with smtp:// or smtps://")
	case s.host == "" || u.Path != "" && u.Path != "/" || u.Fragment != "":
		return s, errors.New("it must name a host, and no path")
	case s.implicit:
		s.port = 465
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return s, errors.New("its port must be from 1 to 65535")
		}
	}
	s.user = u.User.Username()
	s.password, _ = u.User.Password()
	for name, values := range u.Query() {
		switch {
		case name == "from" && len(values) == 1:
			s.from = values[0]
		case name == "starttls" && len(values) == 1 && values[0] == "no" && !s.implicit:
			s.clear = true
		default:
			return s, errors.New("it may say from=address and starttls=no, and nothing else")
		}
	}
	if s.clear && s.password != "" && !loopback(s.host) {
		return s, errors.New("a password isn't sent in clear: leave starttls=no out, or the password")
	}
	if s.from == "" {
		s.from = "trueup@" + publicHost
		if isAddress(s.user) {
			s.from = s.user
		}
	}
	if !isAddress(s.from) {
		return s, errors.New("from= must be an e-mail address")
	}
	return s, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// isAddress takes an address alone: no name, comment or second one.
func isAddress(text string) bool {
	a, err := netmail.ParseAddress(text)
	return err == nil && a.Address == text && !strings.ContainsAny(text, "\r\n<>")
}

// Send sends a mail. A *SendError says what happened, without a secret.
func (m *Mailer) Send(ctx context.Context, l Letter) error {
	msg, err := m.message(l)
	if err != nil {
		return err
	}
	c, err := m.client()
	if err != nil {
		return fmt.Errorf("make the mail client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendMost)
	defer cancel()
	if err := c.DialWithContext(ctx); err != nil {
		return m.failed(err)
	}
	err = c.Send(msg)
	if cerr := c.Close(); err == nil && cerr != nil && !msg.IsDelivered() {
		err = cerr
	}
	if msg.IsDelivered() {
		return nil // what the server said after it had taken the mail changes nothing
	}
	if err != nil {
		return m.failed(err)
	}
	return nil
}

// message is a letter as it goes over the wire. Every field is one line, or it is refused.
func (m *Mailer) message(l Letter) (*mail.Msg, error) {
	if !isAddress(l.To) {
		return nil, &SendError{Class: Refused, Text: "The address is no e-mail address."}
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.FromFormat("Trueup", m.server.from); err != nil {
		return nil, fmt.Errorf("set the sender: %w", err)
	}
	if err := msg.To(l.To); err != nil {
		return nil, &SendError{Class: Refused, Text: "The address is no e-mail address.", cause: err}
	}
	msg.Subject(plain(l.Subject, subjectMost))
	msg.SetDateWithValue(m.now())
	if l.ID != "" {
		_, host, _ := strings.Cut(m.server.from, "@")
		msg.SetMessageIDWithValue(l.ID + "@" + host)
	} else {
		msg.SetMessageID()
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence note answers it
	msg.SetListUnsubscribe(m.public + preferencesScreen)
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	return msg, nil
}

func (m *Mailer) client() (*mail.Client, error) {
	s := m.server
	options := []mail.Option{mail.WithPort(s.port), mail.WithTimeout(sendMost), mail.WithoutNoop()}
	switch {
	case s.implicit:
		options = append(options, mail.WithSSL())
	case s.clear:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.tls != nil {
		options = append(options, mail.WithTLSConfig(m.tls))
	}
	if s.user != "" {
		how := mail.SMTPAuthAutoDiscover
		if s.clear {
			how = mail.SMTPAuthPlain // which is refused in clear to any host but this one
		}
		options = append(options, mail.WithSMTPAuth(how), mail.WithUsername(s.user), mail.WithPassword(s.password))
	}
	return mail.NewClient(s.host, options...)
}

// Class says what to make of a mail that was not sent.
type Class int

// The classes: the server can't be reached or takes nothing now, or it refuses this mail
// or this recipient.
const (
	Unreachable Class = iota
	Refused
)

// SendError is a mail that was not sent.
type SendError struct {
	Class Class
	Text  string // what happened, for a person; no secret
	cause error
}

// Error is for the log.
func (e *SendError) Error() string { return "send a mail: " + e.Text }

// Unwrap is the cause.
func (e *SendError) Unwrap() error { return e.cause }

// failed makes an error of the client readable. What the server said is quoted, but for
// its answer to the password.
func (m *Mailer) failed(err error) error {
	e := &SendError{Class: Unreachable, cause: errCause(err)}
	var sent *mail.SendError
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch said := m.said(err); {
	case errors.As(err, &certificate):
		e.Text = "The certificate of the mail server is not good."
	case errors.As(err, &sent) && sent.ErrorCode() >= 500 && (sent.Reason == mail.ErrSMTPRcptTo || sent.Reason == mail.ErrSMTPMailFrom || sent.Reason == mail.ErrSMTPDataClose || sent.Reason == mail.ErrSMTPData):
		e.Class, e.Text = Refused, "The mail server refused it: "+said
	case errors.As(err, &sent) && sent.Reason == mail.ErrSMTPRcptTo:
		e.Class, e.Text = Refused, "The mail server does not take it now: "+said
	case errors.As(err, &sent):
		e.Text = "The mail server did not take it: " + said
	case strings.Contains(err.Error(), "AUTH") || strings.HasPrefix(said, "535") || strings.Contains(err.Error(), "auth"):
		e.Text = "The mail server did not accept the user and password."
	case strings.Contains(err.Error(), "STARTTLS"):
		e.Text = "The mail server does not offer STARTTLS."
	case errors.As(err, &network), errors.Is(err, context.DeadlineExceeded):
		e.Text = "The mail server could not be reached."
	default:
		e.Text = "The mail server did not answer as one."
	}
	return e
}

// said is what the server said, in one short line and without the password.
func (m *Mailer) said(err error) string {
	text := err.Error()
	if m.server.password != "" {
		text = strings.ReplaceAll(text, m.server.password, "…")
	}
	if at := strings.LastIndex(text, ", affected message ID"); at > 0 {
		text = text[:at]
	}
	return plain(text, 300)
}

// errCause keeps what decides of a cause and not its words, which may hold anything.
func errCause(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return nil
}
