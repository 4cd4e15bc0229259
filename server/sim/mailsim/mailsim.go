// Package mailsim is a mail server (RFC 5321) that keeps what it takes: with STARTTLS
// (RFC 3207) or TLS from the first byte, with sign-in by PLAIN (RFC 4616), and with knobs
// for bad days.
package mailsim

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"
)

// Config is how the server behaves.
type Config struct {
	Implicit bool // TLS from the first byte; else STARTTLS is offered
	NoTLS    bool // nothing of TLS is offered
	// User and Password are asked for before a mail is taken; "" takes everybody's.
	User, Password string
}

// Mail is a mail as it was taken.
type Mail struct {
	From string
	To   []string
	Data string // header and body, lines end with \n
	TLS  bool
	User string // who signed in; "" for nobody
}

// Server is a mail server on this machine.
type Server struct {
	cfg   Config
	tls   *tls.Config
	roots *x509.CertPool
	at    string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	mails    []Mail
	refused  map[string]string // answers to recipients
	dropping int               // mails after which the connection breaks before the answer
	tries    int
	serving  sync.WaitGroup
}

// Start begins to listen. Close ends it.
func Start(c Config) (*Server, error) {
	s := &Server{cfg: c, open: map[net.Conn]bool{}, refused: map[string]string{}, at: "127.0.0.1:0"}
	certificate, err := s.certify()
	if err != nil {
		return nil, err
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	return s, s.Up()
}

// certify makes a certificate for this machine, which ClientTLS trusts.
func (s *Server) certify() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	from := time.Now().Add(-time.Hour)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: from.AddDate(1, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read the certificate: %w", err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// ClientTLS trusts the server.
func (s *Server) ClientTLS() *tls.Config {
	return &tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
}

// Addr is where it listens, or did before it went down.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// Up lets it listen, where it did before.
func (s *Server) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.at)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.at, err)
	}
	s.listener, s.at = l, l.Addr().String()
	s.serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.serving.Go(func() { s.talk(c) })
		}
	})
	return nil
}

// Down ends it and every conversation.
func (s *Server) Down() {
	s.mu.Lock()
	if s.listener != nil {
		_ = s.listener.Close() // it was only listening
		s.listener = nil
	}
	for c := range s.open {
		_ = c.Close() // the peer sees it
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// Close is Down for good.
func (s *Server) Close() { s.Down() }

// Refuse answers a recipient with a line such as "550 5.1.1 no such user"; "" takes it
// again.
func (s *Server) Refuse(address, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[address] = answer
	if answer == "" {
		delete(s.refused, address)
	}
}

// LoseAnswers breaks the connection after the next n mails were taken, before it says so.
func (s *Server) LoseAnswers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropping = n
}

// Mails are those that were taken.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Forget forgets the mails that were taken.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = nil
}

// Tries counts the conversations that were begun.
func (s *Server) Tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// talk is one conversation.
func (s *Server) talk(c net.Conn) {
	s.mu.Lock()
	s.open[c] = true
	s.tries++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
		_ = c.Close() // nothing is left to say
	}()
	_ = c.SetDeadline(time.Now().Add(time.Minute)) // a client that is silent is left
	t := &conversation{server: s, tls: s.cfg.Implicit, conn: c}
	if s.cfg.Implicit {
		t.conn = tls.Server(c, s.tls)
	}
	t.lines = bufio.NewReader(t.conn)
	t.say("220 mailsim ready")
	for t.step() {
	}
}

// conversation is a conversation with a client.
type conversation struct {
	server *Server
	conn   net.Conn
	lines  *bufio.Reader
	tls    bool
	mail   Mail
}

func (t *conversation) say(line string) bool {
	_, err := io.WriteString(t.conn, line+"\r\n")
	return err == nil
}

// maxLine bounds a line of a client.
const maxLine = 64 << 10

func (t *conversation) line() (string, bool) {
	var b strings.Builder
	for {
		part, more, err := t.lines.ReadLine()
		if err != nil || b.Len() > maxLine {
			return "", false
		}
		b.Write(part)
		if !more {
			return b.String(), true
		}
	}
}

// step answers one command and says whether there may be another.
func (t *conversation) step() bool {
	line, ok := t.line()
	if !ok {
		return false
	}
	word, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(word) {
	case "EHLO", "HELO":
		return t.hello()
	case "STARTTLS":
		return t.startTLS()
	case "AUTH":
		return t.auth(rest)
	case "MAIL":
		if t.server.cfg.User != "" && t.mail.User == "" {
			return t.say("530 5.7.0 sign in first")
		}
		t.mail = Mail{From: address(rest), TLS: t.tls, User: t.mail.User}
		return t.say("250 2.1.0 ok")
	case "RCPT":
		return t.recipient(address(rest))
	case "DATA":
		return t.data()
	case "RSET", "NOOP":
		return t.say("250 2.0.0 ok")
	case "QUIT":
		t.say("221 2.0.0 bye")
		return false
	}
	return t.say("502 5.5.2 what is that?")
}

func (t *conversation) hello() bool {
	offers := []string{"mailsim", "8BITMIME"}
	if !t.tls && !t.server.cfg.NoTLS {
		offers = append(offers, "STARTTLS")
	}
	if t.server.cfg.User != "" {
		offers = append(offers, "AUTH PLAIN")
	}
	for i, o := range offers {
		dash := "-"
		if i == len(offers)-1 {
			dash = " "
		}
		if !t.say("250" + dash + o) {
			return false
		}
	}
	return true
}

func (t *conversation) startTLS() bool {
	if t.tls || t.server.cfg.NoTLS {
		return t.say("502 5.5.1 not offered")
	}
	if !t.say("220 2.0.0 go on") {
		return false
	}
	c := tls.Server(t.conn, t.server.tls)
	t.conn, t.lines, t.tls = c, bufio.NewReader(c), true
	return true
}

func (t *conversation) auth(rest string) bool {
	how, given, _ := strings.Cut(rest, " ")
	raw, err := base64.StdEncoding.DecodeString(given)
	parts := strings.Split(string(raw), "\x00")
	if !strings.EqualFold(how, "PLAIN") || err != nil || len(parts) != 3 || parts[1] != t.server.cfg.User || parts[2] != t.server.cfg.Password {
		return t.say("535 5.7.8 wrong user or password")
	}
	t.mail.User = parts[1]
	return t.say("235 2.7.0 welcome")
}

func (t *conversation) recipient(to string) bool {
	t.server.mu.Lock()
	answer := t.server.refused[to]
	t.server.mu.Unlock()
	if answer != "" {
		return t.say(answer)
	}
	t.mail.To = append(t.mail.To, to)
	return t.say("250 2.1.5 ok")
}

func (t *conversation) data() bool {
	if len(t.mail.To) == 0 {
		return t.say("503 5.5.1 to whom?")
	}
	if !t.say("354 end with a dot") {
		return false
	}
	var b strings.Builder
	for {
		line, ok := t.line()
		if !ok {
			return false
		}
		if line == "." {
			break
		}
		b.WriteString(strings.TrimPrefix(line, ".") + "\n")
	}
	t.mail.Data = b.String()
	t.server.mu.Lock()
	t.server.mails = append(t.server.mails, t.mail)
	lost := t.server.dropping > 0
	if lost {
		t.server.dropping--
	}
	t.server.mu.Unlock()
	t.mail = Mail{User: t.mail.User}
	if lost {
		return false
	}
	return t.say("250 2.0.0 taken")
}

// address is the one in the angle brackets.
func address(text string) string {
	_, text, _ = strings.Cut(text, "<")
	text, _, _ = strings.Cut(text, ">")
	return text
}
