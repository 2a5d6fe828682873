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

// SocketAddresses returns where a bridge may listen and is asked, the best first. The first is in its state folder; dir is "" if it has none. The
// second serves where that folder is missing, read-only, or on a disk that holds no sockets: on Linux a name that belongs to no file system,
// elsewhere a file in the folder for temporary files. identity tells the bridge from others on the same machine.
func SocketAddresses(dir, identity string) (places []string) {
	if dir != "" {
		places = append(places, filepath.Join(dir, socketName))
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(identity)) // never fails
	name := fmt.Sprintf("hanbridge-%016x", h.Sum64())
	if runtime.GOOS == "linux" {
		return append(places, "@"+name)
	}
	return append(places, filepath.Join(os.TempDir(), name+".sock"))
}

// An Answer is what a running bridge says of its parts.
type Answer struct {
	// Stuck has a sentence for each part that is stuck.
	Stuck []string
	// Notes has a line for each part that is not stuck, and of which people should know something.
	Notes []string
}

// answerTime is how long a bridge may take to answer.
const answerTime = 5 * time.Second

// Ask asks the bridge that listens at one of the places. A part counts as stuck if it has made no progress in a piece of work for the time
// after. The error says that no bridge answers, why that may be, and what to do.
func Ask(ctx context.Context, places []string, after time.Duration) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var denied error
	for _, place := range places {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", place)
		if errors.Is(err, fs.ErrPermission) {
			denied = err
		}
		if err != nil {
			continue
		}
		parts, err := read(ctx, conn)
		if err != nil {
			return Answer{}, fmt.Errorf("hanbridge runs, but does not answer within %v: it is stuck as a whole, or stopped (%w). Restart it", answerTime, err)
		}
		return said(parts, after), nil
	}
	if denied != nil {
		return Answer{}, fmt.Errorf("the bridge cannot be asked: %w (run this as the user who runs hanbridge, or as root)", denied)
	}
	return Answer{}, fmt.Errorf("no hanbridge runs with this configuration: nobody listens at %s (start it with hanbridge run; "+
		"if it runs, give this command the same --config and environment)", strings.Join(places, " or "))
}

// read returns what the bridge at the other end says.
func read(ctx context.Context, conn net.Conn) (parts []progress.Status, err error) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // which ends a read that waits
	const most = 1 << 20                                        // bytes, of thousands of meters
	err = json.NewDecoder(io.LimitReader(conn, most)).Decode(&parts)
	return parts, err
}

func said(parts []progress.Status, after time.Duration) Answer {
	a := Answer{Stuck: progress.Stuck(parts, after)}
	for _, p := range parts {
		if p.Note != "" && p.Working < after {
			a.Notes = append(a.Notes, p.Name+": "+p.Note)
		}
	}
	return a
}
