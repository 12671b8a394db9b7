/* TapcutTest MODEL PHOTO.ppm WANTED.pgm: org.tapcut on one photo, on any Java machine. Prints a line per test and ends
 * with 1 where one fails. */
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import org.tapcut.Model;
import org.tapcut.Options;
import org.tapcut.Session;
import org.tapcut.TapcutException;
import org.tapcut.TapcutException.Status;

public final class TapcutTest {
    private static final int W = 320, H = 240;
    private static int[] photo;
    private static byte[] wanted, file;
    private static Model model;
    private static int failed;

    private interface Work {
        void run() throws Exception;
    }

    private static void must(boolean condition, String what) {
        if (!condition)
            throw new AssertionError(what);
    }

    private static void refused(Status status, Work work) throws Exception {
        try {
            work.run();
        } catch (TapcutException error) {
            must(error.getStatus() == status, error.getStatus() + ", expected " + status);
            must(!error.getMessage().isEmpty(), "no message");
            return;
        }
        throw new AssertionError("taken, expected " + status);
    }

    private static void test(String name, Work work) {
        try {
            work.run();
            System.out.println("ok " + name);
        } catch (Throwable error) {
            failed++;
            System.out.println("FAILED " + name + ": " + error);
        }
    }

    private static Session opened() {
        Session session = model.newSession();
        session.setImage(photo, W, H);
        return session;
    }

    private static void sameMask() {
        try (Session session = opened()) {
            session.tap(160, 120);
            must(Arrays.equals(session.mask(), wanted), "another mask than the C library's");
            must(session.getTaps() == 1 && session.getWidth() == W, "state");
            session.tap(20, 20, false);
            session.undo();
            must(Arrays.equals(session.mask(), wanted), "undo");
            session.reset();
            must(Arrays.equals(session.mask(), new byte[W * H]), "reset");
        }
    }

    private static void results() {
        try (Session session = opened()) {
            session.tap(160, 120);
            byte[] alpha = session.alpha();
            int[] cutout = session.cutout(photo);
            for (int i = 0; i < W * H; i++)
                must((cutout[i] >>> 24) == (alpha[i] & 255), "alpha of the cutout at " + i);
            must(session.preview(80, 60).length == 80 * 60, "preview");
        }
    }

    private static void wrongCalls() throws Exception {
        Session session = model.newSession();
        refused(Status.ARGUMENT, () -> session.tap(1, 1));
        session.setImage(photo, W, H);
        refused(Status.ARGUMENT, () -> session.tap(-1, 1));
        refused(Status.ARGUMENT, () -> session.tap(W, 1));
        refused(Status.ARGUMENT, session::undo);
        refused(Status.ARGUMENT, () -> session.preview(0, 3));
        refused(Status.IO, () -> new Model("no/such.tapcut"));
        refused(Status.FORMAT, () -> new Model(new byte[100]));
        refused(Status.FORMAT, () -> new Model(new byte[0]));
        Options options = new Options();
        options.size = 7;
        refused(Status.ARGUMENT, () -> model.newSession(options));
        try {
            session.setImage(new int[5], W, H);
            must(false, "an array that is too short was taken");
        } catch (IllegalArgumentException expected) {
            must(expected.getMessage().contains("found 5"), expected.getMessage());
        }
        try {
            model.close();
            must(false, "a model was closed under a session");
        } catch (IllegalStateException expected) {
            must(expected.getMessage().contains("open"), expected.getMessage());
        }
        session.close();
        session.close();
        try {
            session.tap(1, 1);
            must(false, "a closed session was used");
        } catch (IllegalStateException expected) {
            must(expected.getMessage().contains("closed"), expected.getMessage());
        }
        session.cancel();
    }

    private static void cancelled() throws Exception {
        Options options = new Options();
        options.size = options.firstSize = 1024;
        int found = 0;
        try (Session session = model.newSession(options)) {
            session.setImage(photo, W, H);
            session.tap(160, 120);
            byte[] before = session.mask();
            for (int delay = 1; delay < 60; delay *= 3) {
                final int wait = delay;
                Thread canceller = new Thread(() -> {
                    try {
                        Thread.sleep(wait);
                    } catch (InterruptedException error) {
                        return;
                    }
                    session.cancel();
                });
                canceller.start();
                try {
                    session.tap(20, 20, false);
                    session.undo();
                } catch (TapcutException error) {
                    must(error.getStatus() == Status.CANCELLED, error.toString());
                    found++;
                }
                canceller.join();
                must(Arrays.equals(session.mask(), before), "a cancelled tap left something");
            }
        }
        must(found > 0, "nothing was cancelled");
    }

    /* Sessions and models by the hundred: what is closed is given back. */
    private static void memory() throws Exception {
        long before = 0;
        for (int i = 0; i < 120; i++) {
            if (i == 20)
                before = residentKilobytes();
            try (Model own = new Model(file); Session session = own.newSession()) {
                session.setImage(photo, W, H);
            }
        }
        long grown = residentKilobytes() - before;
        must(grown < 60000, "grown by " + grown + " kB");
    }

    private static long residentKilobytes() throws Exception {
        for (String line : Files.readAllLines(Paths.get("/proc/self/status")))
            if (line.startsWith("VmRSS:"))
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
        return 0;
    }

    public static void main(String[] arguments) throws Exception {
        file = Files.readAllBytes(Paths.get(arguments[0]));
        byte[] ppm = Files.readAllBytes(Paths.get(arguments[1]));
        byte[] pgm = Files.readAllBytes(Paths.get(arguments[2]));
        photo = new int[W * H];
        for (int i = 0, at = ppm.length - 3 * W * H; i < W * H; i++, at += 3)
            photo[i] = 0xff000000 | (ppm[at] & 255) << 16 | (ppm[at + 1] & 255) << 8 | (ppm[at + 2] & 255);
        wanted = Arrays.copyOfRange(pgm, pgm.length - W * H, pgm.length);
        model = new Model(file);
        must(Model.version().startsWith("0."), Model.version());
        test("same_mask", TapcutTest::sameMask);
        test("results", TapcutTest::results);
        test("wrong_calls", TapcutTest::wrongCalls);
        test("cancelled", TapcutTest::cancelled);
        test("memory", TapcutTest::memory);
        model.close();
        System.exit(failed > 0 ? 1 : 0);
    }
}
