package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// socketName is the name of the socket in the state folder.
const socketName = "health.sock"

// SocketAddresses returns the addresses of Unix sockets at which a bridge can listen, in the order of preference. If dir is not "", the first
// address is a file in dir, the state folder. The last address is used if no socket can be created in the state folder. On Linux the last
// address is a name in the abstract namespace, elsewhere a file in the folder for temporary files. The identity distinguishes the bridge from
// other bridges on the same machine.
func SocketAddresses(dir, identity string) (addresses []string) {
	if dir != "" {
		addresses = append(addresses, filepath.Join(dir, socketName))
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(identity)) // never returns an error
	name := fmt.Sprintf("hanbridge-%016x", h.Sum64())
	if runtime.GOOS == "linux" {
		return append(addresses, "@"+name)
	}
	return append(addresses, filepath.Join(os.TempDir(), name+".sock"))
}

// An Answer is what a running bridge reports about its parts.
type Answer struct {
	// Stuck has a sentence for each part that is stuck.
	Stuck []string
	// Notes has a line for each part that is not stuck but has a note for the user.
	Notes []string
}

// answerTimeout is how long Ask waits for the answer of the bridge.
const answerTimeout = 5 * time.Second

// Ask asks the bridge that listens at one of the addresses. A part is stuck if it has worked for the time stuckAfter without progress. If no
// bridge answers, the error says the likely reason and what to do.
func Ask(ctx context.Context, addresses []string, stuckAfter time.Duration) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var permissionErr error
	for _, address := range addresses {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", address)
		if errors.Is(err, fs.ErrPermission) {
			permissionErr = err
		}
		if err != nil {
			continue
		}
		parts, err := readStatus(ctx, conn)
		if err != nil {
			return Answer{}, fmt.Errorf("hanbridge runs, but does not answer within %v: its process is stuck or stopped (%w). Restart hanbridge", answerTimeout, err)
		}
		return answerOf(parts, stuckAfter), nil
	}
	if permissionErr != nil {
		return Answer{}, fmt.Errorf("the bridge cannot be asked: %w (run this as the user who runs hanbridge, or as root)", permissionErr)
	}
	return Answer{}, fmt.Errorf("no hanbridge runs with this configuration: nobody listens at %s (start it with hanbridge run; "+
		"if hanbridge runs, give this command the same --config and environment)", strings.Join(addresses, " or "))
}

// readStatus reads the status of each part of the bridge from conn, and closes conn.
func readStatus(ctx context.Context, conn net.Conn) (parts []progress.Status, err error) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // closing conn ends a blocked read
	const maxBytes = 1 << 20                                    // enough for thousands of meters
	err = json.NewDecoder(io.LimitReader(conn, maxBytes)).Decode(&parts)
	return parts, err
}

// answerOf converts the status of each part to an Answer.
func answerOf(parts []progress.Status, stuckAfter time.Duration) Answer {
	a := Answer{Stuck: progress.Stuck(parts, stuckAfter)}
	for _, p := range parts {
		if p.Note != "" && p.Working < stuckAfter {
			a.Notes = append(a.Notes, p.Name+": "+p.Note)
		}
	}
	return a
}
