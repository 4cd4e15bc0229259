package account_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"trueup/server/account"
)

// BenchmarkSignIn signs in with today's cost of hashing from many addresses at once, and
// prints what share of the time goes to hashing: one hasher can do 1/hash sign-ins a
// second, and ratio is how near they come to that. Memory for hashing is bounded by
// hashers times 19 MiB whatever the load.
func BenchmarkSignIn(b *testing.B) {
	h := build(b, func(c *account.Config) { c.Hashing, c.Hashers = argon2id.Params{}, 1 })
	w := h.workspace("Contoso MSP")
	const people = 16
	var passwords [people]string
	for i := range people {
		added, err := h.AddUser(b.Context(), w, fmt.Sprintf("u%d@msp.example", i), "", account.Viewer)
		must(b, err)
		passwords[i] = added.Password
	}
	began := time.Now()
	const hashes = 5
	for range hashes {
		_, err := argon2id.CreateHash("a password", &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32})
		must(b, err)
	}
	hash := time.Since(began) / hashes
	var next atomic.Int64
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		i := int(next.Add(1))
		from := account.Client{Address: fmt.Sprintf("192.0.2.%d", i)}
		for pb.Next() {
			if _, err := h.SignIn(b.Context(), "", fmt.Sprintf("u%d@msp.example", i%people), passwords[i%people], from); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(hash.Microseconds())/1000, "ms/hash")
	b.ReportMetric(hash.Seconds()*float64(b.N)/b.Elapsed().Seconds(), "ratio")
}
